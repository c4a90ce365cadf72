import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'
import { awsSettings, type AwsSettings } from './settings.ts'
import { defaultSettings } from '../test/rig.ts'

const decode = (name: keyof AwsSettings, text: string): unknown => {
  const decoded = awsSettings.fields[name].codec.decode(text) as E.Either<unknown, unknown>
  return E.isRight(decoded) ? decoded.right : 'refused'
}

describe('awsSettings', () => {
  test('have the flags, variables and defaults of the reference', () => {
    const table = Object.fromEntries(
      Object.values(awsSettings.fields).map(({ flag, env, default: value }) => [flag, [env[0], value]]),
    )
    expect(table).toMatchObject({
      'isolated-vpc': ['ISOLATED_VPC', false],
      'eks-control-plane': ['EKS_CONTROL_PLANE', false],
      'vm-memory-overhead-percent': ['VM_MEMORY_OVERHEAD_PERCENT', 0.075],
      'interruption-queue': ['INTERRUPTION_QUEUE', ''],
      'reserved-enis': ['RESERVED_ENIS', 0],
      'disable-dry-run': ['DISABLE_DRY_RUN', false],
      'enable-zonal-shift': ['ENABLE_ZONAL_SHIFT', false],
      'ami-refresh-interval': ['AMI_REFRESH_INTERVAL', 60_000],
      'subnet-refresh-interval': ['SUBNET_REFRESH_INTERVAL', 60_000],
      'aws-feature-gates': ['AWS_FEATURE_GATES', { NodeClassCEL: false }],
    })
  })
  test('take what they should and refuse the rest', () => {
    expect(decode('isolatedVpc', 'true')).toBe(true)
    expect(decode('isolatedVpc', '1')).toBe('refused')
    expect(decode('vmMemoryOverheadPercent', '0')).toBe(0)
    expect(decode('vmMemoryOverheadPercent', '-0.1')).toBe('refused')
    expect(decode('reservedEnis', '1.5')).toBe('refused')
    expect(decode('amiRefreshIntervalMs', '5m')).toBe(300_000)
    expect(decode('amiRefreshIntervalMs', '59s')).toBe('refused')
    expect(decode('awsFeatureGates', 'NodeClassCEL=true,Unknown=false')).toEqual({ NodeClassCEL: true })
    expect(decode('awsFeatureGates', 'NodeClassCEL')).toBe('refused')
    expect(decode('rebalanceRecommendations', 'drain')).toBe('drain')
  })
  test('refuse an endpoint that is no address', () => {
    expect(awsSettings.check?.({ ...defaultSettings, endpoint: 'moto' })).toHaveLength(1)
    expect(awsSettings.check?.({ ...defaultSettings, endpoint: 'http://127.0.0.1:5000' })).toEqual([])
  })
})
