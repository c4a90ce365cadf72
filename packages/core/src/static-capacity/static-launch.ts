import type { LabelRules, NodePool } from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { customLabels, type Launch } from '../scheduling/index.ts'

/** What a claim of a static pool is made from: the template alone, without types, requests or pods (P-STA-03). */
export type StaticLaunch = Omit<Launch, 'pods' | 'instanceTypes'>

/**
 * The claim that a static pool asks for; its provider picks the machine at launch (P-STA-03, S-STATIC-04).
 *
 * @example
 * import { nodePool, snapshotFor } from '@scantling/core/testing'
 * staticLaunch(nodePool('static', { replicas: 3 }), snapshotFor({}).labelRules).labels
 * // => { 'karpenter.sh/nodepool': 'static' }
 */
export const staticLaunch = (pool: NodePool, labelRules: LabelRules): StaticLaunch => {
  const { knowledge } = labelRules
  const labels = { ...pool.labels, [labelKeys.nodePool]: pool.name }
  const requirements = Requirements.and(
    Requirements.fromSpecs(pool.requirements, knowledge),
    Requirements.of(Object.entries(labels).map(([key, value]) => Requirement.isIn(key, [value]))),
  )
  return {
    nodePool: pool.name,
    requirements,
    requests: {},
    taints: pool.taints,
    startupTaints: pool.startupTaints,
    labels: { ...labels, ...customLabels(requirements.byKey, labelRules) },
    annotations: pool.annotations,
  }
}
