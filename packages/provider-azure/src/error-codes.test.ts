import { describe, expect, test } from '@jest/globals'
import { OfferingMemories, Offerings, type InstanceType } from '@scantling/core'
import { azureSettingsOf, nodeClass, skuOf } from '../test/builders.ts'
import { isMachineNotFound, isNotFound, launchFailureOf, providerErrorOf, type LaunchAttempt } from './error-codes.ts'
import { instanceTypeOf } from './instance-types/index.ts'
import { offeringsOf } from './offerings/index.ts'
import type { ArmError } from './sdk/index.ts'

const region = 'southcentralus'
const skus = [
  skuOf('Standard_D2s_v3', {}, { zones: ['1', '2'] }),
  skuOf('Standard_D8s_v3', { vCPUs: '8' }, { zones: ['1', '2'] }),
  skuOf('Standard_D16s_v3', { vCPUs: '16' }, { zones: ['1', '2'] }),
  skuOf('Standard_E16s_v5', { vCPUs: '16' }, { zones: ['1', '2'], family: 'standardESv5Family' }),
] as const
const types = skus.map((sku): InstanceType =>
  instanceTypeOf(
    sku,
    offeringsOf(sku, region, { prices: { onDemand: new Map(), spot: new Map() }, usages: undefined }),
    nodeClass(),
    azureSettingsOf(),
    '1.33.0',
  ),
)

const error = (code: string, message = '', changes: Partial<ArmError> = {}): ArmError => ({
  action: 'Microsoft.Compute/virtualMachines/write',
  code,
  message,
  phase: 'request',
  status: 409,
  ...changes,
})
const attempt: LaunchAttempt = { sku: skus[1], zone: 'southcentralus-1', capacityType: 'on-demand', isMachine: false }

/** Which ways to buy which sizes a failure closes, and for how many minutes. */
const closed = (failure: ReturnType<typeof launchFailureOf>) => {
  const marks = failure.unavailable ?? []
  const memory = OfferingMemories.remember(OfferingMemories.empty, marks, 0)
  return {
    minutes: marks.map(({ forMs }) => forMs / 60_000),
    ways: OfferingMemories.applyMemory(types, memory, 0).flatMap(({ name, offerings }) =>
      offerings
        .filter(({ unavailable }) => unavailable !== undefined)
        .map(
          (one) =>
            `${name.replace('Standard_', '')} ${Offerings.zoneOf(one)?.replace(`${region}-`, '')} ${Offerings.capacityTypeOf(one)}`,
        ),
    ),
  }
}
const sizes = ['D8s_v3', 'D16s_v3']
const ways = (zones: ReadonlyArray<string>, ...capacityTypes: ReadonlyArray<string>) =>
  sizes.flatMap((size) => zones.flatMap((zone) => capacityTypes.map((one) => `${size} ${zone} ${one}`)))

const regionalQuota =
  'Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details - Current Limit: 100, Current Usage: 96, Additional Required: 8'
const familyQuota = (limit: number) =>
  `Operation could not be completed as it results in exceeding approved standardDSv3Family Cores quota. Additional details - Current Limit: ${limit}, Current Usage: 0, Additional Required: 8`
const spotQuota =
  'Operation could not be completed as it results in exceeding approved LowPriorityCores quota. Current Limit: 0'

describe('errors of launches', () => {
  test('Z-ERR-01: the first that matches counts, alone or as the detail of an envelope', () => {
    const both = launchFailureOf(error('OperationNotAllowed', `${spotQuota} and ${familyQuota(10)}`), attempt)
    expect(closed(both).ways.every((way) => way.endsWith(' spot'))).toBe(true)
    const enveloped = error('QuotaExceeded', 'see details', {
      phase: 'operation',
      details: [{ code: 'OperationNotAllowed', message: familyQuota(10) }],
    })
    expect(launchFailureOf(enveloped, { ...attempt, isMachine: true })).toMatchObject({
      reason: 'SubscriptionQuotaReached',
      error: { code: 'OperationNotAllowed' },
    })
  })

  test('Z-ERR-02: the quota of spot closes all of spot for an hour', () => {
    const failure = launchFailureOf(error('OperationNotAllowed', spotQuota), { ...attempt, capacityType: 'spot' })
    expect(failure).toMatchObject({
      reason: 'SubscriptionQuotaReached',
      keepClaim: true,
      error: { _tag: 'QuotaExceeded' },
    })
    expect(closed(failure)).toMatchObject({ minutes: [60] })
    expect(closed(failure).ways).toHaveLength(4 * 3)
  })

  test('Z-ERR-03, Z-ERR-10: the quota of a family closes sizes as large in every zone, for ten minutes', () => {
    const failure = launchFailureOf(error('OperationNotAllowed', familyQuota(4)), attempt)
    expect(failure).toMatchObject({ reason: 'SubscriptionQuotaReached', error: { _tag: 'QuotaExceeded' } })
    expect(closed(failure)).toEqual({ minutes: [10], ways: ways(['1', '2', '0'], 'on-demand') })
  })

  test('Z-ERR-03: without any quota the family is closed for an hour, whatever the size; a limit of 05 is none of 0', () => {
    const none = closed(launchFailureOf(error('OperationNotAllowed', familyQuota(0)), attempt))
    expect(none.minutes).toEqual([60])
    expect(none.ways).toContain('D2s_v3 1 on-demand')
    expect(closed(launchFailureOf(error('OperationNotAllowed', familyQuota(10)), attempt)).minutes).toEqual([10])
  })

  test.each([
    ['on-demand', 'southcentralus-1', 23 * 60, ['1', '2']],
    ['spot', 'southcentralus-1', 60, ['1', '2']],
    ['spot', '0', 60, ['0']],
  ])('Z-ERR-04: SkuNotAvailable for %s in %s closes its scope for %i minutes', (capacityType, zone, minutes, zones) => {
    const failure = launchFailureOf(error('SkuNotAvailable'), { ...attempt, capacityType, zone })
    expect(failure).toMatchObject({
      reason: 'SKUNotAvailable',
      keepClaim: true,
      error: { _tag: 'InsufficientCapacity' },
    })
    expect(closed(failure)).toEqual({ minutes: [minutes], ways: ways(zones, capacityType) })
  })

  test('Z-ERR-05: ZonalAllocationFailed closes the zone for both capacity types', () => {
    const failure = launchFailureOf(error('ZonalAllocationFailed'), attempt)
    expect(failure.reason).toBe('ZonalAllocationFailure')
    expect(closed(failure)).toEqual({ minutes: [60], ways: ways(['1'], 'on-demand', 'spot') })
  })

  test('Z-ERR-06: AllocationFailed closes the scope for both, and leaves the other scope', () => {
    const failure = launchFailureOf(error('AllocationFailed'), attempt)
    expect(failure.reason).toBe('AllocationFailure')
    expect(closed(failure)).toEqual({ minutes: [60], ways: ways(['1', '2'], 'on-demand', 'spot') })
    expect(closed(launchFailureOf(error('AllocationFailed'), { ...attempt, zone: '0' })).ways).toEqual(
      ways(['0'], 'on-demand', 'spot'),
    )
  })

  test('Z-ERR-07: OverconstrainedZonalAllocationRequest closes the zone for the capacity type', () => {
    const failure = launchFailureOf(error('OverconstrainedZonalAllocationRequest'), attempt)
    expect(failure.reason).toBe('OverconstrainedZonalAllocationFailure')
    expect(closed(failure)).toEqual({ minutes: [60], ways: ways(['1'], 'on-demand') })
  })

  test('Z-ERR-08: OverconstrainedAllocationRequest closes the scope for the capacity type', () => {
    const failure = launchFailureOf(error('OverconstrainedAllocationRequest'), attempt)
    expect(failure.reason).toBe('OverconstrainedAllocationFailure')
    expect(closed(failure)).toEqual({ minutes: [60], ways: ways(['1', '2'], 'on-demand') })
  })

  test('Z-ERR-09: the quota of the region ends the claim, and is remembered for a minute (W-07)', () => {
    const failure = launchFailureOf(error('OperationNotAllowed', regionalQuota), attempt)
    expect(failure.error._tag).toBe('InsufficientCapacity')
    expect(failure.keepClaim).toBeUndefined()
    expect(closed(failure)).toEqual({
      minutes: [1],
      ways: [...ways(['1', '2', '0'], 'on-demand'), ...['1', '2', '0'].map((zone) => `E16s_v5 ${zone} on-demand`)],
    })
  })

  test.each([
    ['VMSizeNotSupported', '', 'request', true, true],
    ['BadRequest', "Virtual Machine size: 'x' is not supported for subscription s", 'request', true, true],
    ['BadRequest', 'something else', 'request', true, false],
    ['VMSizeNotSupported', '', 'operation', true, false],
    ['VMSizeNotSupported', '', 'request', false, false],
  ] as const)(
    'Z-ERR-11: %s "%s" in a %s of a machine (%s) closes the size everywhere: %s',
    (code, message, phase, isMachine, isClosed) => {
      const failure = launchFailureOf(error(code, message, { phase, status: 400 }), { ...attempt, isMachine })
      expect(failure.reason).toBe(isClosed ? 'SKUNotAvailable' : 'CreateInstanceFailed')
      expect(closed(failure)).toEqual(
        isClosed ? { minutes: [23 * 60], ways: ways(['1', '2', '0'], 'on-demand', 'spot') } : { minutes: [], ways: [] },
      )
    },
  )

  test('Z-ERR-12: what is not known is CreateInstanceFailed, with a message of at most 1200 characters', () => {
    const failure = launchFailureOf(error('Odd', 'x'.repeat(1201)), attempt)
    expect(failure.reason).toBe('CreateInstanceFailed')
    expect(failure.error.message).toBe(`${'x'.repeat(1200)}...`)
    expect(launchFailureOf(error('Odd', 'x'.repeat(1200)), attempt).error.message).toHaveLength(1200)
  })

  test('Z-ERR-13: text is looked for in details, too', () => {
    const failure = launchFailureOf(
      error('OperationNotAllowed', 'The operation failed', {
        details: [{ code: 'QuotaExceeded', message: spotQuota }],
      }),
      attempt,
    )
    expect(failure.reason).toBe('SubscriptionQuotaReached')
  })

  test.each([
    ['SubnetIsFull', 400, 'InvalidRequest', 'SubnetIsFull', 'subnet with free addresses'],
    ['NicReservedForAnotherVm', 400, 'Throttled', 'NetworkInterfaceReserved', ''],
    ['TooManyRequests', 429, 'Throttled', 'CreateInstanceFailed', ''],
    ['PropertyChangeNotAllowed', 409, 'Unknown', 'PropertyChangeNotAllowed', ''],
    ['RequestDisallowedByPolicy', 403, 'InvalidRequest', 'RequestDisallowedByPolicy', 'policy'],
    ['AuthorizationFailed', 403, 'Unauthorized', 'Unauthorized', 'assign the controller’s identity a role'],
    ['ExpiredAuthenticationToken', 401, 'Unauthorized', 'CreateInstanceFailed', 'current identity'],
    ['SubscriptionNotFound', 404, 'InvalidRequest', 'CreateInstanceFailed', 'AZURE_SUBSCRIPTION_ID'],
  ] as const)(
    'Z-ERR-14: %s (%i) closes nothing; it is %s with reason %s and says what to do',
    (code, status, tag, reason, remedy) => {
      const failure = launchFailureOf(error(code, 'm', { status }), attempt)
      expect([failure.error._tag, failure.reason, failure.unavailable]).toEqual([tag, reason, undefined])
      expect(failure.error.message).toContain(remedy)
    },
  )

  test('Z-ERR-15: without the SKU nothing is closed', () => {
    const failure = launchFailureOf(error('ZonalAllocationFailed'), { ...attempt, sku: undefined })
    expect([failure.reason, failure.unavailable]).toEqual(['CreateInstanceFailed', undefined])
  })
})

describe('errors of other calls', () => {
  test.each([
    ['ResourceNotFound', 404, 'InstanceNotFound'],
    ['SubscriptionNotFound', 404, 'InvalidRequest'],
    ['Any', 400, 'InvalidRequest'],
    ['Any', 409, 'Unknown'],
    ['Any', 412, 'Unknown'],
    ['Any', 500, 'Unknown'],
    ['Unreachable', undefined, 'Unknown'],
    ['CredentialsMissing', undefined, 'Unauthorized'],
  ] as const)('%s with status %s is %s', (code, status, tag) => {
    const { status: _, ...rest } = error(code, 'm')
    expect(providerErrorOf({ ...rest, ...(status !== undefined && { status }) })._tag).toBe(tag)
  })

  test('a NIC that is reserved is tried again when it is free, and what Azure says of time is kept', () => {
    expect(providerErrorOf(error('NicReservedForAnotherVm')).retryAfterMs).toBe(180_000)
    expect(providerErrorOf(error('TooManyRequests', '', { status: 429, retryAfterMs: 7_000 })).retryAfterMs).toBe(7_000)
  })

  test('AKS has two ways to say that a machine is gone', () => {
    expect(
      isMachineNotFound(error('InvalidParameter', 'Cannot find any valid machines to delete', { status: 400 })),
    ).toBe(true)
    expect(isMachineNotFound(error('InvalidParameter', 'other', { status: 400 }))).toBe(false)
    expect([isNotFound({ code: 'x', status: 404 }), isNotFound({ code: 'SubscriptionNotFound', status: 404 })]).toEqual(
      [true, false],
    )
  })
})
