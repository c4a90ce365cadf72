import type { NetworkInterface } from '@azure/arm-network'
import type { CancelSignal, Labels, ProviderHost } from '@scantling/core'
import { pollUntil, type Look } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isNotFound } from '../error-codes.ts'
import { readTogether } from '../read-together.ts'
import type { ArmError, AzurePorts } from '../sdk/index.ts'

/** How often what was begun is looked at (Z-VM-14). */
export const pollMs = 3_000
const timeoutMs = 5 * 60_000

/** Network interfaces of VMs, by name. */
export interface Interfaces {
  /** Makes one, or makes it so; ends when it is there (Z-NIC-06). */
  readonly put: (
    name: string,
    body: NetworkInterface,
    signal: CancelSignal,
  ) => TE.TaskEither<ArmError, NetworkInterface>
  readonly find: (name: string, signal: CancelSignal) => TE.TaskEither<ArmError, NetworkInterface | undefined>
  /** Begins to delete one; that there is none is no error. */
  readonly remove: (name: string, signal: CancelSignal) => TE.TaskEither<ArmError, void>
  readonly setTags: (name: string, tags: Labels, signal: CancelSignal) => TE.TaskEither<ArmError, void>
  readonly list: (signal: CancelSignal) => TE.TaskEither<ArmError, ReadonlyArray<NetworkInterface>>
}

export const interfaces = (options: {
  readonly ports: Pick<AzurePorts, 'network' | 'operation'>
  readonly resourceGroup: string
  readonly clock: ProviderHost['clock']
}): Interfaces => {
  const { ports, resourceGroup, clock } = options
  const { network } = ports
  const action = 'Microsoft.Network/networkInterfaces/write'
  const failure = (code: string, message: string): ArmError => ({ action, code, message, phase: 'operation' })
  const list = (signal: CancelSignal) => network.listNics({ resourceGroup }, signal)
  const find = readTogether<NetworkInterface>({
    action: 'Microsoft.Network/networkInterfaces/read',
    get: (name, signal) => network.getNic({ resourceGroup, name }, signal),
    list,
    isListWhole: true,
    clock,
  })

  /** What the operation of one that failed has to say; the interface itself does not tell. */
  const failureOf = async (name: string, statusUrl: string, signal: CancelSignal): Promise<ArmError> => {
    const state = await ports.operation({ statusUrl, action }, signal)()
    if (E.isLeft(state)) return state.left
    return state.right._tag === 'Failed'
      ? state.right.error
      : failure('InterfaceFailed', `Network interface ${name} could not be made, and Azure does not say why`)
  }
  const look =
    (name: string, statusUrl: string, signal: CancelSignal): TE.TaskEither<ArmError, Look<NetworkInterface>> =>
    async () => {
      const found = await find(name, signal)()
      if (E.isLeft(found)) return found
      const nic = found.right
      if (nic?.provisioningState === 'Succeeded') return E.right({ _tag: 'Done', value: nic })
      // It shows a moment after it was accepted.
      if (nic === undefined || nic.provisioningState !== 'Failed') return E.right({ _tag: 'Again' })
      return E.left(await failureOf(name, statusUrl, signal))
    }

  return {
    find,
    list,
    put: (name, body, signal) =>
      pipe(
        network.putNic({ resourceGroup, name, body }, signal),
        TE.chain(({ resource, statusUrl }) =>
          statusUrl === undefined || resource.provisioningState === 'Succeeded'
            ? TE.right(resource)
            : pollUntil(look(name, statusUrl, signal), {
                everyMs: pollMs,
                timeoutMs,
                clock,
                signal,
                timedOut: () => failure('InterfaceTimeout', `Network interface ${name} was not made within 5 minutes`),
                cancelled: () => failure('Cancelled', `Nobody waits for network interface ${name} any more`),
              }),
        ),
      ),
    remove: (name, signal) =>
      pipe(
        network.deleteNic({ resourceGroup, name }, signal),
        TE.map(() => undefined),
        TE.orElse((error) => (isNotFound(error) ? TE.right(undefined) : TE.left(error))),
      ),
    setTags: (name, tags, signal) =>
      pipe(
        network.updateNicTags({ resourceGroup, name, tags }, signal),
        TE.map(() => undefined),
      ),
  }
}
