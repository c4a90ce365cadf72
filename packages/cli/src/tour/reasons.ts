import { labelKeys, type InstanceType } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { explain, type Explanation } from '../explain/explain.ts'
import { listObjects } from '../live/list-objects.ts'
import { sortObjects } from '../manifests/sort-objects.ts'
import { plainCatalog, planManifests } from '../plan/plan-manifests.ts'
import type { TourHands } from './steps.ts'
import type { WatchedCluster } from './watch-cluster.ts'

const everyMs = 2000

/**
 * Looks at the reasons why nodes of a NodePool stay, as `scantling explain node` does, and tells each once.
 *
 * Answers at once with what it saw last; a look takes place beside whatever else goes on.
 */
export const lookAtReasons = (
  { client, clock, caches }: WatchedCluster,
  types: ReadonlyArray<InstanceType>,
  tell: (sentence: string) => void,
): TourHands['whyStays'] => {
  const seen = new Map<string, ReadonlyArray<Explanation>>()
  let isLooking = false
  let lookedAtMs = 0
  const look = async (nodePool: string) => {
    const manifests = await listObjects(client, 'the cluster')
    if (E.isLeft(manifests)) return
    const plan = planManifests(sortObjects(manifests.right), plainCatalog(types), {
      strategy: 'first-fit',
      nowMs: clock.nowMs(),
    })
    const names = [...caches.nodes.values()]
      .filter(({ metadata }) => metadata.labels[labelKeys.nodePool] === nodePool)
      .map(({ metadata }) => metadata.name)
    const found = names.flatMap((name) => explain({ kind: 'node', name }, plan) ?? [])
    seen.set(nodePool, found)
    for (const { name, because, reason } of found)
      if (reason !== undefined && worthTelling.has(reason._tag)) tell(`Why ${name.split('.')[0]} stays: ${because}`)
  }
  return (nodePool) => {
    if (!isLooking && Date.now() - lookedAtMs >= everyMs) {
      isLooking = true
      lookedAtMs = Date.now()
      void look(nodePool).finally(() => (isLooking = false))
    }
    return seen.get(nodePool) ?? []
  }
}

// Reasons that pass by themselves are no news.
const worthTelling = new Set(['PodDisruptionBudget', 'PodDoNotDisrupt'])
