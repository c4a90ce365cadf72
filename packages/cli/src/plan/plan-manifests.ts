import {
  completeWellKnown,
  coreLabelKnowledge,
  defaultPlanningSettings,
  expandTypePatterns,
  Labels,
  planProvisioning,
  snapshotOf,
  type InstanceType,
  type JsonObject,
  type LabelPolicy,
  type NodePool,
  type ProvisioningPlan,
  type Snapshot,
  type Strategy,
} from '@scantling/core'
import { labelPolicyOf } from '@scantling/provider-kwok'

import type { SortedObjects } from '../manifests/sort-objects.ts'

/** What stands for the cloud. */
export interface Catalog {
  readonly policy: LabelPolicy
  /** By the NodePool's class; the same array for equal answers. `undefined`: its class was refused. */
  readonly typesOf: (nodePool: NodePool) => ReadonlyArray<InstanceType> | undefined
  /** What is wrong with NodeClasses; NodePools of theirs get no types. */
  readonly problems: ReadonlyArray<string>
  /** Sentences that belong beside every output: where figures come from, and what was assumed. */
  readonly notes: ReadonlyArray<string>
  /** Where figures come from, for `--json`. */
  readonly sources?: JsonObject
}

/** A catalogue that is the same whatever class a NodePool names. */
export const plainCatalog = (types: ReadonlyArray<InstanceType>): Catalog => ({
  policy: labelPolicyOf(types),
  typesOf: () => types,
  problems: [],
  notes: [],
})

export interface ManifestPlan {
  readonly snapshot: Snapshot
  readonly plan: ProvisioningPlan
  /** What the catalogue refused of the manifests. */
  readonly problems: ReadonlyArray<string>
}

/** Plans for manifests without a cluster: NodePools count as Ready, and the catalogue stands for the cloud. */
export const planManifests = (
  { lists, nodePoolPlaces }: SortedObjects,
  catalog: Catalog,
  options: { readonly strategy: Strategy; readonly nowMs: number },
): ManifestPlan => {
  const problems: Array<string> = []
  const knowledge = Labels.extend(coreLabelKnowledge, catalog.policy)
  // Templates of claims say the name of the NodeClass; types that denied it would meet none of them.
  const ofTemplates = new Set(
    lists.nodePools.map(({ spec }) => Labels.nodeClassLabelKey(spec.template.spec.nodeClassRef)),
  )
  const defined = new Set([...knowledge.wellKnown].filter((key) => !ofTemplates.has(key)))
  const completed = new Map<ReadonlyArray<InstanceType>, ReadonlyArray<InstanceType>>()
  const typesOf = (nodePool: NodePool): ReadonlyArray<InstanceType> => {
    const offered = catalog.typesOf(nodePool)
    if (offered === undefined) return []
    // Planners compile by identity.
    const types = completed.get(offered) ?? completeWellKnown(offered, defined)
    completed.set(offered, types)
    return types
  }
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
    instanceTypes: typesOf,
  })
  const nodePools = taken.nodePools.flatMap((nodePool) => {
    const types = typesOf(nodePool)
    if (types.length === 0) return []
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
