import {
  completeWellKnown,
  coreLabelKnowledge,
  defaultPlanningSettings,
  expandTypePatterns,
  Labels,
  planProvisioning,
  snapshotOf,
  type InstanceType,
  type ProvisioningPlan,
  type Snapshot,
  type Strategy,
} from '@scantling/core'
import { labelPolicyOf } from '@scantling/provider-kwok'

import type { SortedObjects } from '../manifests/sort-objects.ts'

export interface ManifestPlan {
  readonly snapshot: Snapshot
  readonly plan: ProvisioningPlan
  /** What the catalogue refused of the manifests. */
  readonly problems: ReadonlyArray<string>
}

/** Plans for manifests without a cluster: NodePools count as Ready, and the catalogue stands for the cloud. */
export const planManifests = (
  { lists, nodePoolPlaces }: SortedObjects,
  catalog: ReadonlyArray<InstanceType>,
  options: { readonly strategy: Strategy; readonly nowMs: number },
): ManifestPlan => {
  const problems: Array<string> = []
  const knowledge = Labels.extend(coreLabelKnowledge, labelPolicyOf(catalog))
  const types = completeWellKnown(catalog, knowledge.wellKnown)
  const taken = snapshotOf(lists, {
    nowMs: options.nowMs,
    settings: defaultPlanningSettings,
    labelRules: {
      knowledge,
      unsupportedTopologyKeys: new Set(),
      unsupportedProvisioners: new Set(),
    },
    supportsNodeClass: () => true,
    readiness: 'assumed',
    instanceTypes: () => types,
  })
  const nodePools = taken.nodePools.flatMap((nodePool) => {
    const { nodePool: expanded, unmatched } = expandTypePatterns(nodePool, types)
    if (unmatched.length === 0) return [expanded]
    const path = `${nodePoolPlaces.get(nodePool.name)}: spec.template.spec.requirements`
    problems.push(
      ...unmatched.map(
        (pattern) =>
          `${path}: Invalid value: ${JSON.stringify(pattern)}: no instance type of the catalogue matches; name types that it holds, such as ${types[0]?.name}`,
      ),
    )
    return []
  })
  const snapshot = { ...taken, nodePools }
  return {
    snapshot,
    plan: planProvisioning(snapshot, { strategy: options.strategy, reservedOfferings: 'strict' }),
    problems,
  }
}
