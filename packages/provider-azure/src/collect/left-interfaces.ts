import type { ClusterView, MaintenanceTask, ProviderHost } from '@scantling/core'
import { traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { claimNameOfVm } from '../instances/index.ts'
import type { Interfaces } from '../network/index.ts'
import type { AksNodeClass } from '../node-class/index.ts'

const everyMs = 20_000
// Azure keeps an interface three minutes for a VM that was not made.
const retryMs = 60_000
const deletionsAtOnce = 20
// Beyond it the sweep of all interfaces finds the rest.
const mostLeft = 10_000

/** Names of network interfaces that stand without a VM, as far as this process knows. */
export interface LeftInterfaces {
  /** One is left: kept for the next try of its claim, or not to be deleted yet. */
  readonly add: (name: string) => void
  /** A launch takes it over. Whether it was there. */
  readonly take: (name: string) => boolean
  /** Deletes those whose claims are gone. */
  readonly task: MaintenanceTask<AksNodeClass>
}

/**
 * Remembers interfaces that launches leave behind, so that they go soon after their claims (Z-GC-03).
 *
 * With Azure CNI each of them holds an address for every pod of a node, which the sweep would give back a quarter of an
 * hour later.
 *
 * Cost: one request for each interface whose claim is gone, and else none.
 */
export const leftInterfaces = (options: {
  readonly interfaces: Pick<Interfaces, 'remove'>
  readonly host: Pick<ProviderHost, 'clock' | 'log'>
}): LeftInterfaces => {
  const { interfaces, host } = options
  /** When each is to be looked at. */
  const dueMs = new Map<string, number>()

  const add = (name: string, atMs = host.clock.nowMs()): void => {
    dueMs.delete(name)
    dueMs.set(name, atMs)
    for (const oldest of dueMs.keys()) {
      if (dueMs.size <= mostLeft) break
      dueMs.delete(oldest)
    }
  }
  return {
    add: (name) => add(name),
    take: (name) => dueMs.delete(name),
    task: {
      name: 'left-interfaces',
      everyMs,
      runsOn: 'leader',
      run:
        ({ claims }: ClusterView<AksNodeClass>, { signal }) =>
        async () => {
          const alive = new Set(claims.map(({ name }) => name))
          const orphans = [...dueMs].flatMap(([name, atMs]) =>
            atMs <= host.clock.nowMs() && !alive.has(claimNameOfVm(name) ?? '') ? [name] : [],
          )
          await traverseBounded(deletionsAtOnce, (name: string) => async () => {
            const removed = await interfaces.remove(name, signal)()
            if (E.isRight(removed)) {
              dueMs.delete(name)
              host.log('info', 'Deleted the network interface of a launch that came to nothing', { name })
            } else {
              add(name, host.clock.nowMs() + retryMs)
              host.log('debug', 'Cannot delete the network interface of a launch that came to nothing yet', {
                name,
                error: removed.left.message,
              })
            }
            return E.right<never, void>(undefined)
          })(orphans)()
          return E.right({})
        },
    },
  }
}
