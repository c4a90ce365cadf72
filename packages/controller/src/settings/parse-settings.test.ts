import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describe, expect, test } from '@jest/globals'
import type { SettingsSpec } from '@scantling/core'
import { parseSettings, providerNameOf, renderHelp } from './parse-settings.ts'

interface Cloud {
  readonly region: string
  readonly token: string
}

const cloud: SettingsSpec<Cloud> = {
  fields: {
    region: { env: ['CLOUD_REGION'], flag: 'cloud-region', codec: t.string, help: 'where it runs' },
    token: {
      env: ['CLOUD_TOKEN'],
      codec: new t.Type<string, string, unknown>(
        'token',
        t.string.is,
        (input, context) => (input === 'good' ? t.success('good') : t.failure(input, context, 'expected a token')),
        String,
      ),
      help: 'secret',
      secret: true,
      default: 'good',
    },
  },
  check: ({ region }) => (region === 'moon' ? ['Cannot use region moon: nothing runs there'] : []),
}

const parse = (argv: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  parseSettings({ argv, env: { CLOUD_REGION: 'here', ...env } }, cloud)

const rightOf = (argv: ReadonlyArray<string>, env: Record<string, string> = {}) => {
  const result = parse(argv, env)
  if (E.isLeft(result)) throw new Error(result.left.join('\n'))
  return result.right
}

describe('parseSettings()', () => {
  test("has the reference's defaults", () => {
    expect(rightOf([]).settings).toMatchObject({
      metricsPort: 8080,
      healthProbePort: 8081,
      kubeClientQps: 200,
      kubeClientBurst: 300,
      cpuRequestsMilli: 1000,
      logLevel: 'info',
      batchMaxDurationMs: 10_000,
      batchIdleDurationMs: 1000,
      preferencePolicy: 'Respect',
      minValuesPolicy: 'Strict',
      leaderElectionName: 'karpenter-leader-election',
      featureGates: { reservedCapacity: true, nodeRepair: false },
    })
  })

  test('O-01 a flag beats its variable, which beats the default', () => {
    const env = { METRICS_PORT: '9000', LOG_LEVEL: 'debug', BATCH_IDLE_DURATION: '' }
    expect(rightOf(['--metrics-port', '9001'], env).settings).toMatchObject({
      metricsPort: 9001,
      logLevel: 'debug',
      batchIdleDurationMs: 1000,
    })
    expect(
      rightOf(['--metrics-port=9002', '--disable-leader-election', '--leader-elect=false']).settings,
    ).toMatchObject({
      metricsPort: 9002,
      disableLeaderElection: true,
      leaderElect: false,
    })
  })

  test('O-02 CPU requests of zero and below become one core', () => {
    expect(rightOf(['--cpu-requests', '-5']).settings.cpuRequestsMilli).toBe(1000)
    expect(rightOf(['--memory-limit', '1Gi']).settings.memoryLimitBytes).toBe(2 ** 30)
    expect(rightOf(['--memory-limit', '-1']).settings.memoryLimitBytes).toBeUndefined()
  })

  test('O-03 gates not named keep their defaults, unknown gates are ignored', () => {
    expect(
      rightOf(['--feature-gates', 'NodeRepair=true, Drift=false,ReservedCapacity=false']).settings.featureGates,
    ).toMatchObject({
      nodeRepair: true,
      reservedCapacity: false,
      staticCapacity: false,
    })
  })

  test("O-05 the provider's settings are read along with the controller's", () => {
    expect(rightOf(['--cloud-region', 'there'], { CLOUD_TOKEN: 'good' }).providerSettings).toEqual({
      region: 'there',
      token: 'good',
    })
  })

  test('shows every mistake at once, with name, value and remedy, and keeps secrets', () => {
    const result = parse(['--metrics-port', 'abc', '--log-level=loud', '--colour', 'red', 'extra', '--server'], {
      BATCH_MAX_DURATION: '10 apples',
      FEATURE_GATES: 'NodeRepair',
      CLOUD_TOKEN: 'hunter2',
    })
    expect(result).toEqual(
      E.left([
        'Cannot use flag --colour: there is no such flag; see --help',
        'Cannot use argument "extra": expected --flag value; see --help',
        'Cannot use flag --server: it has no value',
        'Cannot use --metrics-port "abc": expected a whole number from 0 to 65535',
        'Cannot use --log-level "loud": expected debug | info | warn | error',
        'Cannot use BATCH_MAX_DURATION "10 apples": expected a duration such as 10s or 1m30s',
        'Cannot use FEATURE_GATES "NodeRepair": expected Gate=true or Gate=false, separated by commas; "NodeRepair" is neither',
        'Cannot use CLOUD_TOKEN: expected a token',
      ]),
    )
    expect(parseSettings({ argv: [], env: {} }, cloud)).toEqual(
      E.left(['Cannot start without --cloud-region or CLOUD_REGION: where it runs']),
    )
    expect(parse([], { CLOUD_REGION: 'moon', BATCH_IDLE_DURATION: '20s' })).toMatchObject(
      E.left([
        expect.stringMatching(/^Cannot use batch-idle-duration 20s/),
        'Cannot use region moon: nothing runs there',
      ]),
    )
  })

  test('accepts flags of the reference that have no effect here', () => {
    const flags = ['--karpenter-service', 'karpenter', '--cpu-requests', '4000']
    expect(rightOf(flags, { DISABLE_CONTROLLER_WARMUP: 'true', LOG_ERROR_OUTPUT_PATHS: '' }).withoutEffect).toEqual([
      'karpenter-service',
      'disable-controller-warmup',
    ])
  })

  test('names the provider before its flags are known', () => {
    expect(providerNameOf({ argv: ['--cloud-region', 'x', '--provider', 'aws'], env: {} })).toBe('aws')
    expect(providerNameOf({ argv: [], env: { PROVIDER: 'azure' } })).toBe('azure')
  })

  test('renders help for every flag', () => {
    const help = renderHelp('cloud', cloud as SettingsSpec<unknown>)
    expect(help).toContain('--batch-idle-duration')
    expect(help).toContain('(default 1s)')
    expect(help).toContain('--cloud-region')
    expect(help).not.toContain('good')
  })
})

describe('settings of provisioning', () => {
  const settingsOf = (...argv: ReadonlyArray<string>) => parseSettings({ argv, env: {} }, undefined)
  const given = (...argv: ReadonlyArray<string>) => {
    const parsed = settingsOf(...argv)
    if (E.isLeft(parsed)) throw new Error(parsed.left.join('\n'))
    return parsed.right.settings
  }

  test('P-CFG-01: have the defaults of the reference', () => {
    expect(given()).toMatchObject({
      batchMaxDurationMs: 10_000,
      batchIdleDurationMs: 1000,
      preferencePolicy: 'Respect',
      minValuesPolicy: 'Strict',
      ignoreDraRequests: true,
      cpuRequestsMilli: 1000,
      schedulerConfig: [],
    })
  })

  test('P-CFG-01: CPU requests of zero and below become 1000, and each setting has a variable', () => {
    expect(given('--cpu-requests', '0').cpuRequestsMilli).toBe(1000)
    expect(given('--cpu-requests=-5').cpuRequestsMilli).toBe(1000)
    const parsed = parseSettings(
      { argv: [], env: { PREFERENCE_POLICY: 'Ignore', BATCH_IDLE_DURATION: '2s' } },
      undefined,
    )
    expect(E.isRight(parsed) && parsed.right.settings).toMatchObject({
      preferencePolicy: 'Ignore',
      batchIdleDurationMs: 2000,
    })
  })

  test.each([
    ['--preference-policy', 'Sometimes'],
    ['--min-values-policy', 'strict'],
    ['--batch-max-duration', '-1s'],
    ['--scheduler-config', '{ podTopologySpread: { defaultConstraints: [{ maxSkew: 0 }] } }'],
    ['--scheduler-config', 'profiles: []'],
    ['--scheduler-config', '{ unfinished'],
  ])('O-04 P-CFG-01 P-CFG-03: %s %s stops the start', (flag, value) => {
    const parsed = settingsOf(flag, value)
    expect(E.isLeft(parsed) && parsed.left.join()).toContain(flag.slice(2))
  })

  test.each([
    'podTopologySpread:\n  defaultConstraints:\n    - maxSkew: 2\n      topologyKey: zone\n      whenUnsatisfiable: ScheduleAnyway\n',
    '{"podTopologySpread":{"defaultConstraints":[{"maxSkew":2,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway"}]}}',
  ])('O-04 P-CFG-03: the scheduler configuration is YAML or JSON', (text) => {
    expect(given('--scheduler-config', text).schedulerConfig).toMatchObject([
      { maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ])
  })
})
