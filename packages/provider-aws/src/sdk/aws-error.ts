/** A call to AWS that failed, as its service said it. What a code means is decided in `error-codes.ts` alone. */
export interface AwsError {
  /** As IAM policies write it, such as `ec2:CreateFleet`. */
  readonly action: string
  /** The service's code; `Unreachable`, `CredentialsMissing`, `Cancelled` and `UnreadableAnswer` are ours. */
  readonly code: string
  readonly message: string
  readonly httpStatus?: number
  readonly requestId?: string
  readonly retryAfterMs?: number
  readonly cause?: unknown
}
