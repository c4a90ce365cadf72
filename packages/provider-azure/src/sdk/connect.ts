import type { CancelSignal } from '@scantling/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { ConnectOptions } from './connect-options.ts'
import type { AzurePorts } from './ports.ts'

/**
 * Connects the ports to Azure.
 *
 * The SDKs are loaded here and not before: whoever wants the provider's CRDs or its catalogue should not pay for them.
 */
export const connect =
  (options: ConnectOptions, _signal: CancelSignal): TaskEither<never, AzurePorts> =>
  async () => {
    const { portsOverSdk } = await import('./clients.ts')
    return { _tag: 'Right', right: portsOverSdk(options) }
  }
