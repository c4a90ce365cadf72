import type { CancelSignal } from '@scantling/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AwsError } from './aws-error.ts'
import type { ConnectOptions } from './connect-options.ts'
import type { AwsPorts } from './ports.ts'

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
