import type { ProviderError } from '@scantling/core'
import type { AwsError } from './sdk/index.ts'

/**
 * What the codes of AWS mean; the only place where they are looked at.
 *
 * By code, and by text only where one code stands for several causes (`InvalidParameterValue`, denials).
 */
type Coded = Pick<AwsError, 'code' | 'message'>

const notFoundCodes: ReadonlySet<string> = new Set([
  'InvalidCapacityReservationId.NotFound',
  'InvalidInstanceID.NotFound',
  'InvalidLaunchTemplateName.NotFoundException',
  'InvalidLaunchTemplateId.NotFound',
  // The reference takes an unknown placement group for a failure of the look-up (W-18).
  'InvalidPlacementGroup.Unknown',
  'InvalidPlacementGroupId.NotFound',
  'QueueDoesNotExist',
  'AWS.SimpleQueueService.NonExistentQueue',
  'NoSuchEntity',
  'ParameterNotFound',
  'ResourceNotFoundException',
])

const throttlingCodes: ReadonlySet<string> = new Set([
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'EC2ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'TooManyRequestsException',
  'BandwidthLimitExceeded',
  'PriorRequestNotComplete',
  'SlowDown',
])

const denialCodes: ReadonlySet<string> = new Set([
  'UnauthorizedOperation',
  'AccessDenied',
  'AccessDeniedException',
  'AuthFailure',
  'AuthFailure.ServiceLinkedRoleCreationNotPermitted',
  'NotAuthorized',
  'OptInRequired',
])

const credentialCodes: ReadonlySet<string> = new Set([
  'CredentialsMissing',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
])

/** Codes by which EC2 says that one way of buying a machine is closed while others may be open. */
const capacityCodes: ReadonlySet<string> = new Set([
  'InsufficientInstanceCapacity',
  'MaxSpotInstanceCountExceeded',
  'VcpuLimitExceeded',
  'UnfulfillableCapacity',
  'Unsupported',
  'InsufficientFreeAddressesInSubnet',
  'MaxFleetCountExceeded',
  'ReservationCapacityExceeded',
])

/** Quotas of the account, as the names under which the reference reports them. */
const quotaReasons: ReadonlyMap<string, string> = new Map([
  ['MaxFleetCountExceeded', 'FleetQuotaExceeded'],
  ['PendingVerification', 'AccountPendingVerification'],
  ['MaxSpotInstanceCountExceeded', 'SpotQuotaExceeded'],
  ['VcpuLimitExceeded', 'VCPULimitExceeded'],
])
const quotaCodes: ReadonlySet<string> = new Set([...quotaReasons.keys(), 'InstanceLimitExceeded', 'LimitExceeded'])

const invalidCode = /^(Invalid|Malformed|Missing|Unknown|Validation)/

const spotRoleCode = 'AuthFailure.ServiceLinkedRoleCreationNotPermitted'
const userDataLimit = 'User data is limited to'
const spreadLimit = 'limit of instances in this spread placement group'

export const isNotFound = ({ code }: Coded): boolean => notFoundCodes.has(code)
export const isInstanceNotFound = ({ code }: Coded): boolean => code === 'InvalidInstanceID.NotFound'
export const isLaunchTemplateNotFound = ({ code }: Coded): boolean =>
  code === 'InvalidLaunchTemplateName.NotFoundException' || code === 'InvalidLaunchTemplateId.NotFound'
export const isAlreadyThere = ({ code }: Coded): boolean => code === 'EntityAlreadyExists'
/** A name that another call took in the meantime. */
export const isLaunchTemplateTaken = ({ code }: Coded): boolean =>
  code === 'InvalidLaunchTemplateName.AlreadyExistsException'
/** The client token was used before, with other parameters. */
export const isTokenTaken = ({ code }: Coded): boolean => code === 'IdempotentParameterMismatch'
/** A dry run answers its success with an error. */
export const isDryRunSuccess = ({ code }: Coded): boolean => code === 'DryRunOperation'
export const isCredentialError = ({ code }: Coded): boolean => credentialCodes.has(code)
export const isDenied = ({ code }: Coded): boolean => denialCodes.has(code)
export const isThrottled = ({ code, httpStatus }: Coded & Pick<AwsError, 'httpStatus'>): boolean =>
  throttlingCodes.has(code) || httpStatus === 429
/** By the status of the answer: the SDK calls every error it does not know the client's. */
export const isServerError = ({ httpStatus }: Pick<AwsError, 'httpStatus'>): boolean =>
  httpStatus !== undefined && httpStatus >= 500
/** Worth another try as it is: throttled, the server's fault, or no answer at all. */
export const isTransient = (error: AwsError): boolean =>
  isThrottled(error) || isServerError(error) || error.code === 'Unreachable' || error.code === 'UnreadableAnswer'
export const isCapacityError = ({ code }: Coded): boolean => capacityCodes.has(code)
export const isQuotaError = ({ code }: Coded): boolean => quotaCodes.has(code)
/** The spot service has no role in this account and may not make one: no spot machine can be had at all. */
export const isSpotRoleMissing = ({ code }: Coded): boolean => code === spotRoleCode
export const isSubnetFull = ({ code }: Coded): boolean => code === 'InsufficientFreeAddressesInSubnet'
/** Seven instances in a zone are what a spread placement group allows; EC2 says so in words alone. */
export const isSpreadLimit = ({ message }: Coded): boolean => message.includes(spreadLimit)
/** Profiles take a while to be seen by EC2; until then it calls their name invalid. */
export const isInstanceProfileMissing = ({ code, message }: Coded): boolean =>
  code === 'InvalidParameterValue' && message.includes('Invalid IAM Instance Profile name')
export const isUserDataTooLarge = ({ code, message }: Coded): boolean =>
  code === 'InvalidUserData.Malformed' && message.includes(userDataLimit)
/** The role to be put into a profile is not there; services differ in how they write the word. */
export const isRoleMissing = ({ code, message }: Coded): boolean => code === 'NoSuchEntity' && /\brole\b/i.test(message)

/**
 * An error of AWS as the port has it.
 *
 * Codes that nobody listed are `Unknown`, which the shell retries.
 */
export const providerErrorOf = (error: AwsError): ProviderError => {
  const { action, code, message, requestId, retryAfterMs, cause } = error
  const common = {
    code,
    message: isCredentialError(error) ? `Cannot call ${action}: ${message}; ${credentialsRemedy}` : message,
    ...(requestId !== undefined && { requestId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(cause !== undefined && { cause }),
  }
  if (isInstanceNotFound(error)) return { _tag: 'InstanceNotFound', ...common }
  if (isThrottled(error)) return { _tag: 'Throttled', ...common }
  if (isDenied(error) || isCredentialError(error)) return { _tag: 'Unauthorized', action, ...common }
  if (quotaCodes.has(code)) return { _tag: 'QuotaExceeded', quota: code, ...common }
  if (capacityCodes.has(code)) return { _tag: 'InsufficientCapacity', ...common }
  return { _tag: invalidCode.test(code) && !isServerError(error) ? 'InvalidRequest' : 'Unknown', ...common }
}

const credentialsRemedy = 'give the controller a role with current credentials'

/** A reason for a claim's Launched condition, with a sentence for its message. */
export interface LaunchReason {
  readonly reason: string
  readonly message: string
}

/**
 * Why a launch failed, in the reference's words; `LaunchFailed` where it has none.
 *
 * Only plain shortage has a reason of its own beyond the reference, which calls it `LaunchFailed` (S-08).
 */
export const launchReasonOf = (error: Coded): LaunchReason => {
  const { code, message } = error
  const has = (text: string) => message.includes(text)
  const because = (reason: string, sentence: string): LaunchReason => ({ reason, message: sentence })
  if (isSpotRoleMissing(error))
    return because('SpotSLRCreationFailed', 'The service-linked role of EC2 Spot is missing and may not be created')
  if (isDenied(error)) return denialOf(message)
  if (code.startsWith('InvalidParameter') && has('belong to different networks'))
    return because('SecurityGroupSubnetVPCMismatch', 'Security groups and subnets are of different VPCs')
  if (has('iamInstanceProfile.name is invalid') || isInstanceProfileMissing(error))
    return because('InstanceProfileNameInvalid', 'The instance profile is not there, or EC2 does not see it yet')
  if (isLaunchTemplateNotFound(error)) return because('LaunchTemplateNotFound', 'The launch template is not there')
  if (has(userDataLimit)) return because('UserDataSizeLimitExceeded', 'The user data is larger than 16,384 bytes')
  if (code === 'InvalidAMIID.Malformed') return because('InvalidAMIID', 'The id of the AMI is malformed')
  if (code === 'InvalidAMIID.NotFound') return because('AMINotFound', 'The AMI is not there')
  if (code === 'RequestLimitExceeded') return because('RequestLimitExceeded', 'EC2 throttles requests of this account')
  if (code === 'InternalError') return because('InternalError', 'EC2 had an internal error')
  if (has('not eligible for Free Tier'))
    return because('FreeTierIneligible', 'The account may launch only types of the free tier')
  const quota = quotaReasons.get(code)
  if (quota !== undefined) return because(quota, message)
  if (isSubnetFull(error)) return because('InsufficientFreeAddressesInSubnet', 'The subnet has no free addresses')
  return because(capacityCodes.has(code) ? 'InsufficientCapacity' : 'LaunchFailed', message)
}

/** What kept the controller from doing something, as far as the text of the denial tells. */
export const denialOf = (message: string): LaunchReason => {
  // EC2 has one code for all denials; which policy is in the way stands in the text alone.
  if (/not authorized for images|image.*not authorized|launch permission/i.test(message))
    return { reason: 'AMIAuthorizationFailure', message: 'The account may not use the AMI; share it with the account' }
  const detail = message.includes('permissions boundary')
    ? 'a permissions boundary does not allow it'
    : message.includes('service control policy')
      ? 'a service control policy denies it'
      : message.includes('no identity-based policy')
        ? 'no policy of the controller’s role allows it'
        : 'the controller’s role may not do it'
  return { reason: 'Unauthorized', message: `Not authorized: ${detail}` }
}
