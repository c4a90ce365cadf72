import {
  labelKeys,
  OfferingMemories,
  Requirements,
  type InstanceType,
  type NodePool,
  type Notice,
} from '@scantling/core'
import type { ReconcilerContext } from './context.ts'
import { claimEvent, nodeClassEvent, nodePoolEvent } from './event-records.ts'

/** Makes events of what a provider has to tell; a notice about what is not there goes nowhere. */
export const publishNotice = async (context: ReconcilerContext, notice: Notice): Promise<void> => {
  const { events, caches, views } = context
  const { on, type, reason, message } = notice
  switch (on._tag) {
    case 'NodeClaim': {
      const object = caches.nodeClaims.get(on.name)
      if (object !== undefined) events.record(claimEvent(views.claim(object), type, reason, message))
      return
    }
    case 'NodeClass':
      for (const { group, kind, versions } of context.providerModule.nodeClasses) {
        const object = caches.nodeClasses.get(`${group}/${kind}`)?.get(on.name)
        if (object === undefined) continue
        const apiVersion = `${group}/${versions[0].name}`
        events.record(nodeClassEvent({ ...object.metadata, apiVersion, kind }, type, reason, message))
      }
      return
    case 'NodePool': {
      const object = caches.nodePools.get(on.name)
      if (object !== undefined) events.record(nodePoolEvent(object.metadata, type, reason, message))
      return
    }
    case 'PoolsOffering':
      for (const pool of await poolsOffering(context, on.match))
        events.record(nodePoolEvent(pool, type, reason, message))
  }
}

const poolsOffering = async (context: ReconcilerContext, match: Requirements): Promise<ReadonlyArray<NodePool>> => {
  const { state, types, shutdown } = context
  const pools = state.nodePools()
  const call = { signal: shutdown, cluster: context.clusterFacts() }
  // A pool whose types cannot be had offers nothing now; provisioning reports the failure.
  const byPool = await types.ofNodePools(pools, call, () => undefined)
  const { knowledge } = state.labelRules
  return pools.filter((pool) => {
    const wanted = Requirements.and(
      Requirements.fromSpecs(pool.requirements, knowledge),
      Requirements.fromLabels({ ...pool.labels, [labelKeys.nodePool]: pool.name }, knowledge),
    )
    return (byPool.get(pool.name) ?? []).some((type) => offers(type, wanted, match, knowledge.wellKnown))
  })
}

const offers = (
  type: InstanceType,
  wanted: Requirements,
  match: Requirements,
  wellKnown: ReadonlySet<string>,
): boolean =>
  Requirements.intersects(wanted, type.requirements) &&
  type.offerings.some(
    (offering) =>
      Requirements.isCompatible(wanted, offering.requirements, wellKnown) &&
      OfferingMemories.isMarked(type, offering, { match, forMs: 0, reason: '' }),
  )
