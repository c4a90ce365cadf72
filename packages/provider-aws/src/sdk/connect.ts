import type { CancelSignal } from '@scantling/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AwsError } from './aws-error.ts'
import type { AwsPorts } from './ports.ts'

/** How to reach AWS. */
export interface ConnectOptions {
  /** Empty: as the SDK finds it. */
  readonly region: string
  /** One address for all services; empty: AWS itself. */
  readonly endpoint: string
  readonly userAgent: string
  /** Instead of the default chain; for emulators. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly nowMs: () => number
  /** Told of every call once it has ended; `code` is the error's, or 200. */
  readonly observe?: (request: ObservedRequest) => void
}

export interface ObservedRequest {
  readonly action: string
  readonly code: string
  readonly durationMs: number
}

/**
 * Connects the ports to AWS.
 *
 * The SDK is loaded here and not before: whoever wants the provider's CRDs or its catalogue should not pay for 100 MB.
 */
export const connect =
  (options: ConnectOptions, signal: CancelSignal): TaskEither<AwsError, AwsPorts> =>
  async () => {
    const { portsOverSdk } = await import('./clients.ts')
    return portsOverSdk(options, signal)()
  }
