import type { VirtualMachine } from '@azure/arm-compute'
import type { CancelSignal, Instance, InstanceList, Labels, ProviderError, ProviderHost } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isNotFound, isThrottled, providerErrorOf } from '../error-codes.ts'
import type { Interfaces } from '../network/index.ts'
import { readTogether } from '../read-together.ts'
import type { ArmError, AzurePorts } from '../sdk/index.ts'
import type { VmDetails } from './details.ts'
import { vmsInGraph } from './graph.ts'
import { instanceOfVm } from './instance-of.ts'
import { tagKeys } from '../tags/index.ts'
import { isOurs } from './ownership.ts'

// A deletion that was begun shows as such; one that does not by now came to nothing.
const deletionShowsMs = 60_000

/** The VMs of nodes: found, ended and changed, one by one for the caller and many at a time for Azure. */
export interface Instances {
  /** The VM of this name as it is now; `undefined`: there is none, surely. */
  readonly find: (name: string, signal: CancelSignal) => TE.TaskEither<ArmError, VirtualMachine | undefined>
  readonly get: (name: string, signal: CancelSignal) => TE.TaskEither<ProviderError, Instance<VmDetails>>
  readonly list: (cluster: string, signal: CancelSignal) => TE.TaskEither<ProviderError, InstanceList<VmDetails>>
  /** `Gone`: nothing is left to bill. */
  readonly terminate: (
    name: string,
    cluster: string,
    signal: CancelSignal,
  ) => TE.TaskEither<ProviderError, 'Started' | 'Gone'>
}

export const instances = (options: {
  readonly ports: Pick<AzurePorts, 'compute' | 'resourceGraph'>
  readonly interfaces: Pick<Interfaces, 'find' | 'remove'>
  /** The interface of a VM that is gone could not be deleted. */
  readonly onInterfaceLeft: (name: string) => void
  readonly resourceGroup: string
  readonly host: Pick<ProviderHost, 'clock' | 'log'>
}): Instances => {
  const { ports, interfaces, onInterfaceLeft, resourceGroup, host } = options
  const { compute } = ports
  const { clock } = host
  const find = readTogether<VirtualMachine>({
    action: 'Microsoft.Compute/virtualMachines/read',
    get: (name, signal) => compute.getVm({ resourceGroup, name }, signal),
    list: (signal) => compute.listVms({ resourceGroup }, signal),
    clock,
  })
  /** When the deletion of a VM was begun, until it is gone. */
  const endingSinceMs = new Map<string, number>()

  // The VM takes it along. One that is left, for the VM was never made, goes here; failing that, a little later.
  const endInterface = async (name: string, signal: CancelSignal): Promise<void> => {
    const found = await interfaces.find(name, signal)()
    const removed: E.Either<ArmError, unknown> =
      E.isRight(found) && found.right !== undefined && isMarked(found.right.tags)
        ? await interfaces.remove(name, signal)()
        : found
    if (E.isRight(removed)) return
    onInterfaceLeft(name)
    host.log('warn', 'Cannot delete the network interface of a VM that is gone yet', {
      name,
      error: removed.left.message,
    })
  }

  return {
    find,
    get: (name, signal) => async () => {
      const found = await find(name, signal)()
      if (E.isLeft(found)) return E.left(providerErrorOf(found.left))
      if (found.right === undefined)
        return E.left({
          _tag: 'InstanceNotFound',
          message: `There is no VM ${name} in resource group ${resourceGroup}`,
        })
      return E.mapLeft((message: string): ProviderError => ({ _tag: 'Unknown', message }))(instanceOfVm(found.right))
    },
    list: (cluster, signal) =>
      pipe(
        compute.listVms({ resourceGroup }, signal),
        TE.map((vms) => ({ vms, unreadable: [] as ReadonlyArray<string> })),
        // Compute's list is up to date; Resource Graph's is better than none.
        TE.orElse((error) =>
          isThrottled(error) ? vmsInGraph(ports.resourceGraph, resourceGroup, signal) : TE.left(error),
        ),
        TE.bimap(providerErrorOf, ({ vms, unreadable }) => {
          const read = vms.filter(({ tags }) => isOurs(tags, cluster)).map(instanceOfVm)
          return {
            instances: read.flatMap((one) => (E.isRight(one) ? [one.right] : [])),
            unreadable: [...unreadable, ...read.flatMap((one) => (E.isLeft(one) ? [one.left] : []))].map((message) => ({
              message,
            })),
          }
        }),
      ),
    terminate: (name, cluster, signal) => async () => {
      const found = await find(name, signal)()
      if (E.isLeft(found)) return E.left(providerErrorOf(found.left))
      if (found.right === undefined) {
        endingSinceMs.delete(name)
        await endInterface(name, signal)
        return E.right('Gone')
      }
      if (!isOurs(found.right.tags, cluster))
        return E.left({
          _tag: 'InvalidRequest',
          message: `VM ${name} bears no tag of cluster ${cluster}: whoever made it must end it`,
        })
      const sinceMs = endingSinceMs.get(name)
      const isEnding = sinceMs !== undefined && clock.nowMs() - sinceMs < deletionShowsMs
      if (isEnding || found.right.provisioningState === 'Deleting') return E.right('Started')
      endingSinceMs.set(name, clock.nowMs())
      const deleted = await compute.deleteVm({ resourceGroup, name }, signal)()
      if (E.isRight(deleted)) return E.right('Started')
      endingSinceMs.delete(name)
      return isNotFound(deleted.left) ? E.right('Started') : E.left(providerErrorOf(deleted.left))
    },
  }
}

const isMarked = (tags: Labels | undefined): boolean => isOurs(tags, tags?.[tagKeys.cluster] ?? '')
