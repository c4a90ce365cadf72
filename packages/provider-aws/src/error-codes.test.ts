import { describe, expect, test } from '@jest/globals'
import {
  isAlreadyThere,
  isCapacityError,
  isDenied,
  isDryRunSuccess,
  isInstanceProfileMissing,
  isNotFound,
  isRoleMissing,
  isServerError,
  isThrottled,
  isTransient,
  isUserDataTooLarge,
  launchReasonOf,
  providerErrorOf,
} from './error-codes.ts'
import { awsErrorOf } from './sdk/sdk-error.ts'

const coded = (code: string, message = code) => ({ action: 'ec2:Any', code, message })

describe('codes of AWS', () => {
  test('A-ERR-01, A-ERR-02: what is not there, and what is there already', () => {
    const notFound = [
      'InvalidCapacityReservationId.NotFound',
      'InvalidInstanceID.NotFound',
      'InvalidLaunchTemplateName.NotFoundException',
      'InvalidLaunchTemplateId.NotFound',
      'QueueDoesNotExist',
      'AWS.SimpleQueueService.NonExistentQueue',
      'NoSuchEntity',
      'ParameterNotFound',
      // The reference's list lacks it (W-18).
      'InvalidPlacementGroup.Unknown',
    ]
    expect(notFound.filter((code) => !isNotFound(coded(code)))).toEqual([])
    expect(isNotFound(coded('UnauthorizedOperation'))).toBe(false)
    expect(isAlreadyThere(coded('EntityAlreadyExists'))).toBe(true)
  })

  test('A-ERR-03: the codes of a fleet that close one way and leave others open', () => {
    const codes = [
      'InsufficientInstanceCapacity',
      'MaxSpotInstanceCountExceeded',
      'VcpuLimitExceeded',
      'UnfulfillableCapacity',
      'Unsupported',
      'InsufficientFreeAddressesInSubnet',
      'MaxFleetCountExceeded',
      'ReservationCapacityExceeded',
    ]
    expect(codes.filter((code) => !isCapacityError(coded(code)))).toEqual([])
    expect(isCapacityError(coded('RequestLimitExceeded'))).toBe(false)
  })

  test('A-ERR-04: dry runs, denials, throttling and the fault of the server', () => {
    expect(isDryRunSuccess(coded('DryRunOperation'))).toBe(true)
    expect(isDenied(coded('UnauthorizedOperation'))).toBe(true)
    // The reference knows the first alone (W-21).
    for (const code of ['RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'EC2ThrottledException'])
      expect([code, isThrottled(coded(code)), providerErrorOf(coded(code))._tag]).toEqual([code, true, 'Throttled'])
    expect([500, 503, 412].map((httpStatus) => isServerError({ httpStatus }))).toEqual([true, true, false])
    expect(isTransient({ ...coded('InternalError'), httpStatus: 500 })).toBe(true)
  })

  test('A-ERR-05: a missing profile and user data that is too large are told by code and text', () => {
    const profile = 'Value (x) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name'
    expect(isInstanceProfileMissing(coded('InvalidParameterValue', profile))).toBe(true)
    expect(isInstanceProfileMissing(coded('InvalidParameterValue', 'Invalid tag'))).toBe(false)
    expect(isUserDataTooLarge(coded('InvalidUserData.Malformed', 'User data is limited to 16384 bytes'))).toBe(true)
    expect(isUserDataTooLarge(coded('InvalidUserData.Malformed', 'Invalid BASE64'))).toBe(false)
    // Services write the word as they like.
    for (const message of ['The role with name x cannot be found.', 'Role x not found'])
      expect(isRoleMissing(coded('NoSuchEntity', message))).toBe(true)
  })

  test('A-ERR-10: a failed launch has the reason that the reference gives it, plain shortage one of its own', () => {
    const table: ReadonlyArray<readonly [code: string, message: string, reason: string]> = [
      ['AuthFailure.ServiceLinkedRoleCreationNotPermitted', 'x', 'SpotSLRCreationFailed'],
      ['UnauthorizedOperation', 'no identity-based policy allows it', 'Unauthorized'],
      ['AccessDenied', 'with an explicit deny in a service control policy', 'Unauthorized'],
      ['AuthFailure', 'Not authorized for images: [ami-1]', 'AMIAuthorizationFailure'],
      ['InvalidParameter', 'sg and subnet belong to different networks', 'SecurityGroupSubnetVPCMismatch'],
      ['InvalidParameterValue', 'iamInstanceProfile.name is invalid', 'InstanceProfileNameInvalid'],
      ['InvalidLaunchTemplateId.NotFound', 'x', 'LaunchTemplateNotFound'],
      ['InvalidUserData.Malformed', 'User data is limited to 16384 bytes', 'UserDataSizeLimitExceeded'],
      ['InvalidAMIID.Malformed', 'x', 'InvalidAMIID'],
      ['InvalidAMIID.NotFound', 'x', 'AMINotFound'],
      ['RequestLimitExceeded', 'x', 'RequestLimitExceeded'],
      ['InternalError', 'x', 'InternalError'],
      ['InvalidParameterCombination', 'The type is not eligible for Free Tier', 'FreeTierIneligible'],
      ['MaxFleetCountExceeded', 'x', 'FleetQuotaExceeded'],
      ['PendingVerification', 'x', 'AccountPendingVerification'],
      ['MaxSpotInstanceCountExceeded', 'x', 'SpotQuotaExceeded'],
      ['VcpuLimitExceeded', 'x', 'VCPULimitExceeded'],
      ['InsufficientFreeAddressesInSubnet', 'x', 'InsufficientFreeAddressesInSubnet'],
      ['InsufficientInstanceCapacity', 'x', 'InsufficientCapacity'],
      ['UnfulfillableCapacity', 'x', 'InsufficientCapacity'],
      ['SomethingElse', 'x', 'LaunchFailed'],
    ]
    expect(table.map(([code, message]) => [code, message, launchReasonOf({ code, message }).reason])).toEqual(table)
    expect(launchReasonOf(coded('UnauthorizedOperation', 'no permissions boundary allows it')).message).toContain(
      'permissions boundary',
    )
  })

  test('credentials that are missing or expired are told with their remedy', () => {
    const error = providerErrorOf({ action: 'ec2:DescribeImages', code: 'ExpiredToken', message: 'Token has expired' })
    expect(error).toMatchObject({ _tag: 'Unauthorized', action: 'ec2:DescribeImages' })
    expect(error.message).toContain('give the controller a role with current credentials')
  })
})

describe('awsErrorOf()', () => {
  const thrown = (fields: object) => Object.assign(new Error('message'), fields)
  test('reads the code where each service writes it', () => {
    const metadata = { $metadata: { httpStatusCode: 400, requestId: 'r-1' } }
    const iam = { name: 'NoSuchEntityException', Code: 'NoSuchEntity', ...metadata }
    expect(awsErrorOf('iam:GetInstanceProfile', thrown(iam))).toMatchObject({ code: 'NoSuchEntity', requestId: 'r-1' })
    expect(awsErrorOf('ssm:GetParameter', thrown({ name: 'ParameterNotFound', ...metadata }))?.code).toBe(
      'ParameterNotFound',
    )
  })
  test('tells a page of HTML, a network that is down, missing credentials and a cancelled call apart', () => {
    const codeOf = (value: unknown) => awsErrorOf('ec2:Any', value)?.code
    expect(codeOf(new SyntaxError('Unexpected token <'))).toBe('UnreadableAnswer')
    expect(codeOf(thrown({ code: 'ECONNREFUSED' }))).toBe('Unreachable')
    expect(codeOf(thrown({ $metadata: { attempts: 3 } }))).toBe('Unreachable')
    expect(codeOf(thrown({ name: 'CredentialsProviderError' }))).toBe('CredentialsMissing')
    expect(codeOf(thrown({ name: 'AbortError' }))).toBe('Cancelled')
    expect(codeOf(new RangeError('a bug of ours'))).toBeUndefined()
  })
})
