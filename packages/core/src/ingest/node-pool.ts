import { nodePoolHash, type NodePoolObject } from '../api/index.ts'
import type { Budget, NodeClassReference, NodePool } from '../cluster/index.ts'
import { durationMs } from './instant.ts'

/** What the NodePool's own manifest does not say. */
export interface NodePoolContext {
  /** Whether the provider in charge launches nodes for this kind of NodeClass. */
  readonly supportsNodeClass: (nodeClass: NodeClassReference) => boolean
  /** `stated`: what the Ready condition says. `assumed`: Ready, for plans without a cluster to say so. */
  readonly readiness: 'stated' | 'assumed'
}

/**
 * A NodePool as planners read it.
 *
 * @example
 * import { nodePoolObject } from '@scantling/core/testing'
 * const pool = ingestNodePool(nodePoolObject('general'), { supportsNodeClass: () => true, readiness: 'assumed' })
 * pool.isReady // => true
 */
export const ingestNodePool = (object: NodePoolObject, context: NodePoolContext): NodePool => {
  const { metadata, spec, status } = object
  const { template, disruption, limits, replicas, weight } = spec
  const expireAfterMs = durationMs(template.spec.expireAfter)
  const terminationGracePeriodMs = durationMs(template.spec.terminationGracePeriod)
  const consolidateAfterMs = durationMs(disruption.consolidateAfter)
  return {
    name: metadata.name,
    uid: metadata.uid,
    weight: weight ?? 0,
    ...(replicas === undefined ? {} : { replicas }),
    ...(limits === undefined ? {} : { limits }),
    nodeClass: template.spec.nodeClassRef,
    isManaged: context.supportsNodeClass(template.spec.nodeClassRef),
    isReady:
      context.readiness === 'assumed' ||
      status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    isDeleting: metadata.deletionTimestamp !== undefined,
    requirements: template.spec.requirements,
    labels: template.metadata.labels,
    annotations: template.metadata.annotations,
    taints: template.spec.taints,
    startupTaints: template.spec.startupTaints,
    ...(expireAfterMs === undefined ? {} : { expireAfterMs }),
    ...(terminationGracePeriodMs === undefined ? {} : { terminationGracePeriodMs }),
    disruption: {
      consolidationPolicy: disruption.consolidationPolicy,
      ...(consolidateAfterMs === undefined ? {} : { consolidateAfterMs }),
      budgets: disruption.budgets.map(ingestBudget),
    },
    hash: nodePoolHash(object),
  }
}

const ingestBudget = ({ duration, ...budget }: NodePoolObject['spec']['disruption']['budgets'][number]): Budget => {
  const ms = durationMs(duration)
  return { ...budget, ...(ms === undefined ? {} : { durationMs: ms }) }
}
