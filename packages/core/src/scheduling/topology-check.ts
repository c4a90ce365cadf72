import { labelKeys } from '../labels/index.ts'
import { Requirement } from '../requirements/index.ts'
import type {
  DomainView,
  RequirementSet,
  RequirementTable,
  Supply,
  Topology,
  TopologyGroup,
} from '../topology/index.ts'
import type { Binding, Stage } from './pod-class.ts'

/** A node or claim as topology sees it. `host` is negative for a claim that is not open yet. */
export interface Site {
  readonly hostname: string
  readonly host: number
}

/** The first constraint on the hostname that the site fails, or `undefined`. Cost: O(constraints). */
export const failedHostBinding = (stage: Stage, site: Site, topology: Topology): Binding | undefined => {
  const { hostBindings, strict } = stage
  for (const binding of hostBindings) {
    const podAllows = strict.host === undefined || Requirement.has(strict.host, site.hostname)
    const view = strict.host === undefined ? undefined : hostView(strict.host, topology)
    if (!binding.group.admitsHost(site.host, binding.isSelf, podAllows, view)) return binding
  }
  return undefined
}

const hostView = (requirement: Requirement, topology: Topology): DomainView => {
  const has = topology.space(labelKeys.hostname).names.map((name) => Requirement.has(requirement, name))
  return { has, members: [...has.keys()].filter((domain) => has[domain]) }
}

/** What topology leaves of a set, or the constraint that leaves nothing. */
export type TopologyVerdict = RequirementSet | { readonly failed: TopologyGroup }

/**
 * Narrows a set to the domains that the stage's constraints choose.
 *
 * Every constraint chooses from the set as it was, not as a sibling narrowed it (P-TOP-07): two on one key may choose
 * disjoint domains and fail, although a common choice exists (W5).
 *
 * `labels`: all that a node will ever have, where that is known. What it lacks puts it in no domain, and so beside
 * nobody that a pod keeps away from.
 */
export const narrowByTopology = (
  table: RequirementTable,
  supply: Supply,
  set: RequirementSet,
  stage: Stage,
  labels?: RequirementSet,
): TopologyVerdict => {
  const { strict } = stage
  const domainBindings =
    labels === undefined ? stage.domainBindings : stage.domainBindings.filter((one) => !isFree(one, labels))
  let chosenByKey: Map<string, ReadonlyArray<string>> | undefined
  let narrowed: RequirementSet | undefined = set
  const isSingle = domainBindings.length === 1
  for (const { group, isSelf } of domainBindings) {
    const { space } = group.rule
    const pod = strict.set.byKey.has(space.key) ? space.view(strict.set) : undefined
    const domains = group.choose(isSelf, pod, space.view(set))
    if (domains.length === 0) return { failed: group }
    const names = domains.map((domain) => space.names[domain]!)
    if (isSingle) {
      narrowed = table.narrow(supply, set, space.key, names)
      return narrowed ?? { failed: group }
    }
    chosenByKey ??= new Map()
    const before = chosenByKey.get(space.key)
    chosenByKey.set(space.key, before === undefined ? names : before.filter((name) => names.includes(name)))
  }
  for (const [key, names] of chosenByKey ?? []) {
    narrowed = table.narrow(supply, narrowed, key, names)
    if (narrowed === undefined) {
      const failed = domainBindings.find(({ group }) => group.rule.space.key === key)
      return { failed: failed!.group }
    }
  }
  return narrowed
}

const isFree = ({ group: { rule } }: Binding, labels: RequirementSet): boolean =>
  rule.kind === 'anti-affinity' && !labels.byKey.has(rule.space.key)
