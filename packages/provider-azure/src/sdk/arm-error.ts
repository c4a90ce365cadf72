/**
 * A call to Azure that failed, as its service said it. What a code means is decided in `error-codes.ts` alone.
 *
 * The SDK loses most of it: the details of errors, and the codes of operations that fail after they were accepted. The
 * ports put them back.
 */
export interface ArmError {
  /** As role definitions write it, such as `Microsoft.Compute/virtualMachines/write`. */
  readonly action: string
  /** The service's code; `Unreachable`, `CredentialsMissing`, `Cancelled` and `UnreadableAnswer` are ours. */
  readonly code: string
  readonly message: string
  readonly status?: number
  readonly details?: ReadonlyArray<{ readonly code: string; readonly message: string; readonly target?: string }>
  /** Whether the request itself was refused, or the operation that it began ended badly. */
  readonly phase: 'request' | 'operation'
  readonly requestId?: string
  readonly retryAfterMs?: number
  readonly cause?: unknown
}
