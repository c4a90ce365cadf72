import type { LaunchFailure, ProviderError, Requirements, UnavailableMark } from '@scantling/core'
import type { Sku } from './instance-types/index.ts'
import { allSpot, markOn, offeringsLike, offeringsOfSize, placementScopeOf } from './offerings/index.ts'
import type { ArmError } from './sdk/arm-error.ts'

/**
 * What the codes of Azure mean; the only place where they are looked at.
 *
 * By code, and by text only where one code stands for several causes (`OperationNotAllowed`, `BadRequest`).
 */
type Coded = Pick<ArmError, 'code' | 'message' | 'details'>

const minute = 60_000
const hour = 60 * minute

/** What was being bought when the error came. */
export interface LaunchAttempt {
  /** Undefined: it left the catalogue in the meantime. */
  readonly sku: Sku | undefined
  readonly zone: string
  readonly capacityType: string
  /** AKS' machines have codes of their own when they are begun. */
  readonly isMachine: boolean
}

interface KnownAttempt extends LaunchAttempt {
  readonly sku: Sku
}

/** A failure of a launch that says which offerings to leave alone, and for how long. */
interface Handler {
  readonly matches: (error: ArmError, text: string, attempt: LaunchAttempt) => boolean
  readonly reason: string
  readonly tag: 'QuotaExceeded' | 'InsufficientCapacity'
  /** The claim cannot be had at all, rather than not this way. */
  readonly endsClaim?: true
  readonly message: (attempt: KnownAttempt, error: ArmError) => string
  readonly marks: (attempt: KnownAttempt, text: string) => ReadonlyArray<readonly [match: Requirements, forMs: number]>
}

const quotaReached = 'SubscriptionQuotaReached'
const operationNotAllowed = 'OperationNotAllowed'

/**
 * The first that matches counts (Z-ERR-01).
 *
 * Source: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 */
const handlers: ReadonlyArray<Handler> = [
  {
    matches: ({ code }, text) => code === operationNotAllowed && text.includes('LowPriorityCores'),
    reason: quotaReached,
    tag: 'QuotaExceeded',
    message: () =>
      'The subscription’s regional quota of spot vCPUs is used up; see https://learn.microsoft.com/azure/quotas/spot-quota for more',
    marks: () => [[allSpot, hour]],
  },
  {
    matches: ({ code }, text) => code === operationNotAllowed && text.includes('Family Cores quota'),
    reason: quotaReached,
    tag: 'QuotaExceeded',
    message: ({ sku, capacityType }) =>
      `The subscription’s quota of ${capacityType} vCPUs for ${sku.quotaFamily} has no room for ${sku.name}`,
    // Without any quota no size will do; with too little a smaller one may.
    marks: ({ sku, capacityType }, text) =>
      isZeroLimit(text)
        ? [[offeringsLike({ sku, wholeFamily: true, capacityType }), hour]]
        : [[offeringsLike({ sku, capacityType }), 10 * minute]],
  },
  {
    matches: ({ code }) => code === 'SkuNotAvailable',
    reason: 'SKUNotAvailable',
    tag: 'InsufficientCapacity',
    message: ({ sku, zone, capacityType }) =>
      `${sku.name} is not available as ${capacityType} in zone ${zone}; see https://aka.ms/azureskunotavailable`,
    // Spot comes back; a size that is not sold does not.
    marks: ({ sku, zone, capacityType }) => [
      [offeringsLike({ sku, scope: placementScopeOf(zone), capacityType }), capacityType === 'spot' ? hour : 23 * hour],
    ],
  },
  {
    matches: ({ code }) => code === 'ZonalAllocationFailed',
    reason: 'ZonalAllocationFailure',
    tag: 'InsufficientCapacity',
    message: ({ sku, zone }) => `Zone ${zone} has no room for ${sku.name}`,
    marks: ({ sku, zone }) => [[offeringsLike({ sku, zone }), hour]],
  },
  {
    matches: ({ code }) => code === 'AllocationFailed',
    reason: 'AllocationFailure',
    tag: 'InsufficientCapacity',
    message: ({ sku, zone }) => `There is no ${placementScopeOf(zone)} room for ${sku.name}`,
    marks: ({ sku, zone }) => [[offeringsLike({ sku, scope: placementScopeOf(zone) }), hour]],
  },
  {
    matches: ({ code }) => code === 'OverconstrainedZonalAllocationRequest',
    reason: 'OverconstrainedZonalAllocationFailure',
    tag: 'InsufficientCapacity',
    message: ({ sku, zone, capacityType }) => `Zone ${zone} has no room for ${sku.name} as ${capacityType}`,
    marks: ({ sku, zone, capacityType }) => [[offeringsLike({ sku, zone, capacityType }), hour]],
  },
  {
    matches: ({ code }) => code === 'OverconstrainedAllocationRequest',
    reason: 'OverconstrainedAllocationFailure',
    tag: 'InsufficientCapacity',
    message: ({ sku, zone, capacityType }) =>
      `There is no ${placementScopeOf(zone)} room for ${sku.name} as ${capacityType}`,
    marks: ({ sku, zone, capacityType }) => [
      [offeringsLike({ sku, scope: placementScopeOf(zone), capacityType }), hour],
    ],
  },
  {
    matches: ({ code }, text) =>
      code === operationNotAllowed && text.includes('exceeding approved Total Regional Cores quota'),
    reason: quotaReached,
    tag: 'InsufficientCapacity',
    endsClaim: true,
    message: ({ capacityType }) =>
      `The subscription’s regional quota of ${capacityType} vCPUs is used up; see https://learn.microsoft.com/azure/quotas/regional-quota-requests for more`,
    // Every size as large would fail as well. The reference asks again for each claim (W-07).
    marks: ({ sku, capacityType }) => [[offeringsOfSize(sku.vCpus, capacityType), minute]],
  },
  {
    matches: ({ code, phase }, text, { isMachine }) =>
      isMachine &&
      phase === 'request' &&
      (code === 'VMSizeNotSupported' || (code === 'BadRequest' && text.includes('is not supported for subscription'))),
    reason: 'SKUNotAvailable',
    tag: 'InsufficientCapacity',
    message: ({ sku }) => `${sku.name} is not sold to this subscription here; see https://aka.ms/aks/vm-size-selector`,
    marks: ({ sku }) => [[offeringsLike({ sku }), 23 * hour]],
  },
]

// The reference looks for this text, so that a limit of 05 counts as one of 0; ours does not.
const isZeroLimit = (text: string): boolean => /Current Limit: 0(?!\d)/.test(text)

// Error messages of details, too: envelopes say little (section 5.4 of the parity map).
const textOf = ({ message, details = [] }: Coded): string =>
  [message, ...details.map((detail) => `${detail.code}: ${detail.message}`)].join('\n')

/** The first detail of an envelope that only says that something failed, as an error of its own. */
const detailOf = (error: ArmError): ArmError => {
  const [first] = error.details ?? []
  return first === undefined || first.code === ''
    ? error
    : { ...error, code: first.code, message: first.message === '' ? error.message : first.message }
}

/** Longest message of a condition, cut as the reference cuts it. */
const longestMessage = 1200

const cut = (message: string): string =>
  message.length > longestMessage ? `${message.slice(0, longestMessage)}...` : message

/** Reasons of the Launched condition that stand for no capacity. */
const reasonByCode: ReadonlyMap<string, string> = new Map([
  ['SubnetIsFull', 'SubnetIsFull'],
  ['NicReservedForAnotherVm', 'NetworkInterfaceReserved'],
  ['RequestDisallowedByPolicy', 'RequestDisallowedByPolicy'],
  ['PropertyChangeNotAllowed', 'PropertyChangeNotAllowed'],
  ['AuthorizationFailed', 'Unauthorized'],
  ['LinkedAuthorizationFailed', 'Unauthorized'],
])

/**
 * What a launch failed of: reason, remedy, and the offerings to leave alone (Z-ERR-02…15).
 *
 * Capacity and quota keep the claim, for the next best offering may do. Anything else is `CreateInstanceFailed`, or has
 * a reason of its own where there is something for a person to do.
 */
export const launchFailureOf = (error: ArmError, attempt: LaunchAttempt): LaunchFailure => {
  const { sku } = attempt
  const detail = detailOf(error)
  for (const handler of handlers) {
    for (const candidate of [error, detail]) {
      const text = textOf(candidate)
      if (sku === undefined || !handler.matches(candidate, text, attempt)) continue
      const known: KnownAttempt = { ...attempt, sku }
      const message = handler.message(known, candidate)
      const unavailable: ReadonlyArray<UnavailableMark> = handler
        .marks(known, text)
        .map(([match, forMs]) => markOn(match, forMs, handler.reason, message))
      return {
        error: { ...common(candidate, cut(message)), _tag: handler.tag },
        reason: handler.reason,
        unavailable,
        ...(handler.endsClaim !== true && { keepClaim: true }),
      }
    }
  }
  const last = reasonByCode.has(error.code) || !reasonByCode.has(detail.code) ? error : detail
  const providerError = providerErrorOf(last)
  return {
    error: { ...providerError, message: cut(providerError.message) },
    reason: reasonByCode.get(last.code) ?? 'CreateInstanceFailed',
  }
}

const common = ({ code, requestId, retryAfterMs, cause }: ArmError, message: string) => ({
  message,
  code,
  ...(requestId !== undefined && { requestId }),
  ...(retryAfterMs !== undefined && { retryAfterMs }),
  ...(cause !== undefined && { cause }),
})

const credentialCodes: ReadonlySet<string> = new Set([
  'AuthenticationFailed',
  'CredentialsMissing',
  'ExpiredAuthenticationToken',
  'InvalidAuthenticationToken',
  'InvalidAuthenticationTokenTenant',
])
const denialCodes: ReadonlySet<string> = new Set(['AuthorizationFailed', 'LinkedAuthorizationFailed', 'Forbidden'])
const throttlingCodes: ReadonlySet<string> = new Set([
  'TooManyRequests',
  'OperationNotAllowedDueToThrottling',
  'SubscriptionRequestsThrottled',
  'RetryableErrorDueToAnotherOperation',
])
const subscriptionCodes: ReadonlySet<string> = new Set(['SubscriptionNotFound', 'InvalidSubscriptionId'])
const notFoundCodes: ReadonlySet<string> = new Set(['ResourceNotFound', 'NotFound'])

// A NIC whose VM was not made belongs to that VM for three minutes more.
const nicReservedMs = 3 * minute

export const isNotFound = ({ code, status }: Pick<ArmError, 'code' | 'status'>): boolean =>
  (status === 404 || notFoundCodes.has(code)) && !subscriptionCodes.has(code)
export const isThrottled = ({ code, status }: Pick<ArmError, 'code' | 'status'>): boolean =>
  status === 429 || throttlingCodes.has(code)
export const isDenied = ({ code, status }: Pick<ArmError, 'code' | 'status'>): boolean =>
  (status === 403 && code !== 'RequestDisallowedByPolicy') || denialCodes.has(code)
/** The token is not right, or nobody gave one: another call will fail just so. */
export const isUnauthenticated = ({ code, status }: Pick<ArmError, 'code' | 'status'>): boolean =>
  status === 401 || credentialCodes.has(code)
/** Nothing has to be changed for it to go well another time. */
export const isTransient = (error: Pick<ArmError, 'code' | 'status'>): boolean =>
  isThrottled(error) || error.code === 'Unreachable' || (error.status ?? 0) >= 500
/** There is a VM of that name, made otherwise. */
export const isPropertyChange = ({ code }: Pick<ArmError, 'code'>): boolean => code === 'PropertyChangeNotAllowed'
/** Somebody else changed the resource meanwhile. */
export const isStale = ({ status }: Pick<ArmError, 'status'>): boolean => status === 412
/** A NIC that names a backend pool or group that is gone (Z-NIC-05). */
export const isInvalidReference = ({ code }: Pick<ArmError, 'code'>): boolean => code === 'InvalidResourceReference'
/** AKS says so of machines that are gone, beside 404 (Z-MACH-19). */
export const isMachineNotFound = ({ code, status, message }: ArmError): boolean =>
  isNotFound({ code, ...(status !== undefined && { status }) }) ||
  (status === 400 && code === 'InvalidParameter' && message.includes('Cannot find any valid machines'))

/**
 * An error of Azure as the port has it, with what to do about it.
 *
 * Codes that nobody listed are `Unknown`, which the shell retries.
 */
export const providerErrorOf = (error: ArmError): ProviderError => {
  const { action, code, message } = error
  const as = (text: string) => common(error, text)
  if (isThrottled(error)) return { ...as(message), _tag: 'Throttled' }
  if (isUnauthenticated(error))
    return {
      ...as(
        `Cannot call ${action}: ${message}; give the controller a current identity: workload identity, managed identity or AZURE_ variables`,
      ),
      _tag: 'Unauthorized',
      action,
    }
  if (code === 'RequestDisallowedByPolicy')
    return {
      ...as(
        `An Azure policy does not allow this: ${message}; exempt ${action} from it, or set what it asks for in the AKSNodeClass`,
      ),
      _tag: 'InvalidRequest',
    }
  if (isDenied(error))
    return {
      ...as(`Not authorized: ${message}; assign the controller’s identity a role with ${action}`),
      _tag: 'Unauthorized',
      action,
    }
  if (subscriptionCodes.has(code))
    return {
      ...as(`${message}; check AZURE_SUBSCRIPTION_ID, and that the identity can see it`),
      _tag: 'InvalidRequest',
      field: 'subscription-id',
    }
  if (code === 'SubnetIsFull')
    return {
      ...as(`${message}; give the AKSNodeClass a subnet with free addresses`),
      _tag: 'InvalidRequest',
      field: 'spec.vnetSubnetID',
    }
  if (code === 'NicReservedForAnotherVm')
    return { ...as(message), retryAfterMs: error.retryAfterMs ?? nicReservedMs, _tag: 'Throttled' }
  if (isNotFound(error)) return { ...as(message), _tag: 'InstanceNotFound' }
  const isRefused = error.phase === 'request' && error.status !== undefined && error.status >= 400 && error.status < 500
  return {
    ...as(message),
    _tag: isRefused && error.status !== 409 && error.status !== 412 ? 'InvalidRequest' : 'Unknown',
  }
}
