import type { ClusterView, MaintenanceTask, ProviderHost } from '@scantling/core'
import { traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { providerErrorOf } from '../error-codes.ts'
import { claimNameOfVm, isOurs } from '../instances/index.ts'
import type { Interfaces } from '../network/index.ts'
import type { AksNodeClass } from '../node-class/index.ts'
import type { ComputePort } from '../sdk/index.ts'
import type { LeftInterfaces } from './left-interfaces.ts'

const everyMs = 5 * 60_000
const deletionsAtOnce = 100
// The view of claims is older than the list: what was launched since is not in it.
const youngMs = 10 * 60_000

/** Names of launches of the last minutes, whose claims a view may miss. */
export interface YoungLaunches {
  readonly add: (name: string) => void
  readonly has: (name: string) => boolean
}

export const youngLaunches = (nowMs: () => number): YoungLaunches => {
  const sinceMs = new Map<string, number>()
  return {
    add: (name) => {
      sinceMs.delete(name)
      sinceMs.set(name, nowMs())
      // In order of their launch, so the first that stays ends it.
      for (const [oldest, atMs] of sinceMs) {
        if (nowMs() - atMs < youngMs) break
        sinceMs.delete(oldest)
      }
    },
    has: (name) => nowMs() - (sinceMs.get(name) ?? Number.NEGATIVE_INFINITY) < youngMs,
  }
}

/**
 * Deletes network interfaces of launches that came to nothing (Z-GC-03).
 *
 * Those of ours alone that no VM and no claim has the name of. One that Azure still keeps for a VM that was not made goes
 * another time. Disks are not swept: they are made with a VM and go with it (Z-GC-04).
 */
export const collectInterfaces = (options: {
  readonly compute: Pick<ComputePort, 'listVms'>
  readonly interfaces: Pick<Interfaces, 'list' | 'remove'>
  readonly young: YoungLaunches
  readonly left: Pick<LeftInterfaces, 'add'>
  readonly resourceGroup: string
  readonly host: Pick<ProviderHost, 'log'>
}): MaintenanceTask<AksNodeClass> => {
  const { compute, interfaces, young, left, resourceGroup, host } = options
  return {
    name: 'network-interfaces',
    everyMs,
    runsOn: 'leader',
    run:
      ({ claims }: ClusterView<AksNodeClass>, { cluster, signal }) =>
      async () => {
        const listed = await interfaces.list(signal)()
        if (E.isLeft(listed)) return E.left(providerErrorOf(listed.left))
        const alive = new Set(claims.map(({ name }) => name))
        const unclaimed = listed.right.flatMap(({ name = '', tags, virtualMachine }) => {
          const claim = claimNameOfVm(name)
          const isLeft =
            isOurs(tags, cluster.name) && virtualMachine?.id === undefined && claim !== undefined && !young.has(name)
          if (!isLeft) return []
          if (!alive.has(claim)) return [name]
          // Of a launch that another process did not end: its claim may yet go without another.
          left.add(name)
          return []
        })
        if (unclaimed.length === 0) return E.right({})
        const vms = await compute.listVms({ resourceGroup }, signal)()
        if (E.isLeft(vms)) return E.left(providerErrorOf(vms.left))
        const withVm = new Set(vms.right.map(({ name = '' }) => name.toLowerCase()))
        const orphans = unclaimed.filter((name) => !withVm.has(name.toLowerCase()))
        await traverseBounded(deletionsAtOnce, (name: string) => async () => {
          const removed = await interfaces.remove(name, signal)()
          if (E.isLeft(removed))
            host.log('warn', 'Cannot delete a network interface that nobody needs', {
              name,
              error: removed.left.message,
            })
          else host.log('info', 'Deleted a network interface that nobody needs', { name })
          return E.right<never, void>(undefined)
        })(orphans)()
        return E.right({})
      },
  }
}
