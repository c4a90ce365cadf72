import type { Pod, PodConstraints } from '../cluster/index.ts'
import { Labels, type LabelKnowledge } from '../labels/index.ts'
import { Requirement, Requirements, type Conflict } from '../requirements/index.ts'
import type { Toleration } from '../taints/index.ts'
import type { Demand, RequirementTable, Topology, TopologyGroup } from '../topology/index.ts'
import { heaviestFirst, relaxed } from './relaxation.ts'
import type { PodVolumes } from './volume-topology.ts'

/** A constraint on one topology key as it binds pods of one shape. */
export interface Binding {
  readonly group: TopologyGroup
  /** Whether a pod of the shape counts towards the group itself. */
  readonly isSelf: boolean
}

/** A shape's constraints after some steps of relaxation. */
export interface Stage {
  readonly constraints: PodConstraints
  /** What the pod asks of a node, preferences included while they bind (P-RQS-09). */
  readonly demand: Demand
  /** Without preferences (P-RQS-10): what the pod's domains are reckoned from (P-TOP-08). */
  readonly strict: Demand
  readonly tolerations: ReadonlyArray<Toleration>
  /** Two of the stage's own requirements that no label meets, where such a stage is refused (W16). */
  readonly contradiction?: Conflict
  /** Keys that a node must define although the demand alone would let it go without: `Exists` beside `NotIn`. */
  readonly mustDefine: ReadonlyArray<string>
  /** Whether the stage asks the very same as the one before it, so that trying it again is futile. */
  readonly isRepeat: boolean
  readonly hostBindings: ReadonlyArray<Binding>
  readonly domainBindings: ReadonlyArray<Binding>
  /** By template; absent: not asked yet. */
  readonly toleratesTemplate: Array<boolean | undefined>
  /** By claim of the pass, 1 where a constraint on the hostname excludes it for good. */
  closedClaims: Int32Array
}

/** Pods with equal constraints in one namespace whose labels no selector can tell apart. */
export interface PodShape {
  readonly namespace: string
  /** Of one of the pods; the others may differ where nothing looks. */
  readonly labels: Labels
  readonly constraints: PodConstraints
  readonly volumes: PodVolumes
  /** Places of the volumes; one that demands nothing where there are none. */
  readonly alternatives: ReadonlyArray<Demand>
  /** Extended as pods of the shape are relaxed. */
  readonly stages: Array<Stage>
  /** Inverse groups of the pods' own anti-affinity, and those of others that select them. */
  readonly inverseOwned: ReadonlyArray<TopologyGroup>
  inverseSelecting: ReadonlyArray<TopologyGroup>
  /** Groups that count pods of the shape. */
  readonly counting: Array<TopologyGroup>
  /** How many of the topology's groups `counting` has been picked from. */
  seenGroups: number
}

/** Pods of one shape and size. All of them fare alike at any moment. */
export interface PodClass {
  readonly index: number
  readonly shape: PodShape
  readonly pod: Pod
  readonly requests: Float64Array
  /** Resources with a request above zero. */
  readonly needed: ReadonlyArray<number>
  /** Whether the pods run where they may stay, so that resting nodes are closed to them (D-SIM-05). */
  readonly isSettled: boolean
}

export interface StageContext {
  readonly table: RequirementTable
  readonly topology: Topology
  readonly aliases: LabelKnowledge
  readonly preferencePolicy: 'Respect' | 'Ignore'
  readonly hasPreferNoSchedule: boolean
  /** Whether a pod that contradicts itself fits nowhere; the reference lets it go where the label is missing (W16). */
  readonly refusesContradictions: boolean
  /** Whether alternatives that were given up come back without preferences; the reference never tries that (W15). */
  readonly revisitsAlternatives: boolean
}

/** The shape's stage at a position, made with its topology groups when first asked for; `undefined` past the last. */
export const stageAt = (shape: PodShape, position: number, context: StageContext): Stage | undefined => {
  const known = shape.stages[position]
  if (known !== undefined) return known
  const before = position === 0 ? undefined : shape.stages[position - 1]
  const constraints =
    before === undefined
      ? shape.constraints
      : (relaxed(before.constraints, context) ?? revisited(shape, position, context))
  if (constraints === undefined) return undefined
  const stage = makeStage(shape, constraints, before, context)
  shape.stages.push(stage)
  return stage
}

// Alternatives are given up before preferences are. Once there is nothing left to give up, each of the former is tried
// without any of the latter.
const revisited = (shape: PodShape, position: number, context: StageContext): PodConstraints | undefined => {
  const { requiredNodeTerms: terms } = shape.constraints
  if (!context.revisitsAlternatives || terms.length < 2) return undefined
  const end = shape.stages.findIndex(({ constraints }) => relaxed(constraints, context) === undefined)
  const term = terms[position - end - 1]
  const last = shape.stages[end]
  // The last alternative has stood alone; and where only alternatives were given up, so have the others.
  const isNew = end >= terms.length && position - end < terms.length
  return isNew && term !== undefined && last !== undefined
    ? { ...last.constraints, requiredNodeTerms: [term] }
    : undefined
}

/** The first stage of a pod that topology does not know yet, because its volumes could not be looked up (W28). */
export const untrackedStage = (shape: PodShape, first: Stage): Stage => ({
  ...first,
  ...bind(shape, []),
  closedClaims: noClaims,
})

const noClaims = new Int32Array(0)

const makeStage = (
  shape: PodShape,
  constraints: PodConstraints,
  before: Stage | undefined,
  context: StageContext,
): Stage => {
  const { table, topology } = context
  const { strict, demand, contradiction, mustDefine } = demandsOf(constraints, context)
  const groups = topology.groupsOf({ namespace: shape.namespace, labels: shape.labels, constraints })
  const bindings = bind(shape, groups)
  return {
    constraints,
    strict: table.demand(strict),
    demand: table.demand(demand),
    tolerations: constraints.tolerations,
    ...(contradiction === undefined ? {} : { contradiction }),
    mustDefine,
    isRepeat:
      before !== undefined &&
      before.mustDefine.join() === mustDefine.join() &&
      before.demand === table.demand(demand) &&
      before.strict === table.demand(strict) &&
      before.tolerations === constraints.tolerations &&
      sameGroups(before.hostBindings, bindings.hostBindings) &&
      sameGroups(before.domainBindings, bindings.domainBindings),
    ...bindings,
    toleratesTemplate: [],
    closedClaims: noClaims,
  }
}

const demandsOf = (
  { nodeSelector, requiredNodeTerms, preferredNodeTerms }: PodConstraints,
  { aliases, preferencePolicy, refusesContradictions }: StageContext,
): {
  readonly strict: Requirements
  readonly demand: Requirements
  readonly contradiction: Conflict | undefined
  readonly mustDefine: ReadonlyArray<string>
} => {
  const selector = Requirements.fromLabels(nodeSelector, aliases)
  const required = requiredNodeTerms[0]?.expressions ?? []
  const preferred = preferencePolicy === 'Respect' ? heaviestFirst(preferredNodeTerms)[0] : undefined
  const wished = preferred?.term.expressions ?? []
  const strict = Requirements.and(selector, Requirements.fromSpecs(required, aliases))
  const demand = wished.length === 0 ? strict : Requirements.and(strict, Requirements.fromSpecs(wished, aliases))
  if (!refusesContradictions) return { strict, demand, contradiction: undefined, mustDefine: [] }
  const parts = [selector, ...[...required, ...wished].map((one) => Requirements.fromSpecs([one], aliases))]
  const members = parts.flatMap(({ byKey }) => [...byKey.values()])
  const mustDefine = members
    .filter((one) => !Requirement.allowsAbsence(one) && Requirement.allowsAbsence(Requirements.get(demand, one.key)))
    .map(({ key }) => key)
  return { strict, demand, contradiction: contradictionIn(parts), mustDefine }
}

/** Whether nodes of the set are sure to carry the label. */
export const defines = ({ byKey }: Requirements, key: string): boolean => {
  const requirement = byKey.get(key)
  return requirement !== undefined && !Requirement.allowsAbsence(requirement)
}

// The first of the sets that has no value in common with those before it.
const contradictionIn = (sets: ReadonlyArray<Requirements>): Conflict | undefined => {
  let all = Requirements.empty
  for (const set of sets) {
    const conflict = Requirements.conflict(all, set, new Set(set.byKey.keys()))
    if (conflict !== undefined) return conflict
    all = Requirements.and(all, set)
  }
  return undefined
}

const bind = (
  shape: PodShape,
  groups: ReadonlyArray<TopologyGroup>,
): Pick<Stage, 'hostBindings' | 'domainBindings'> => {
  const bindings = [...groups, ...shape.inverseSelecting].map((group) => ({
    group,
    isSelf: group.selects(shape.namespace, shape.labels),
  }))
  return {
    hostBindings: bindings.filter(({ group }) => group.rule.isHost),
    domainBindings: bindings.filter(({ group }) => !group.rule.isHost),
  }
}

const sameGroups = (a: ReadonlyArray<Binding>, b: ReadonlyArray<Binding>): boolean =>
  a.length === b.length && a.every(({ group }, index) => group === b[index]?.group)

/** The groups that count pods of the shape, those made since the last call included. */
export const countingGroups = (shape: PodShape, topology: Topology): ReadonlyArray<TopologyGroup> => {
  for (; shape.seenGroups < topology.groups.length; shape.seenGroups += 1) {
    const group = topology.groups[shape.seenGroups]!
    if (group.selects(shape.namespace, shape.labels)) shape.counting.push(group)
  }
  return shape.counting
}

/** Label keys by which any topology selector or matchLabelKeys tells pods apart. */
export const selectedLabelKeys = (constraints: Iterable<PodConstraints>): ReadonlySet<string> => {
  const keys = new Set<string>()
  for (const { topologySpread, podAffinity, podAntiAffinity } of constraints) {
    const selectors = [
      ...topologySpread.map(({ labelSelector }) => labelSelector),
      ...[podAffinity, podAntiAffinity].flatMap(({ required, preferred }) =>
        [...required, ...preferred.map(({ term }) => term)].map(({ labelSelector }) => labelSelector),
      ),
    ]
    for (const selector of selectors) {
      for (const key of Object.keys(selector?.matchLabels ?? {})) keys.add(key)
      for (const { key } of selector?.matchExpressions ?? []) keys.add(key)
    }
    for (const { matchLabelKeys } of topologySpread) for (const key of matchLabelKeys) keys.add(key)
  }
  return keys
}

/** Label keys of nodes that pods ask for or are spread by. */
export const demandedNodeKeys = (constraints: Iterable<PodConstraints>): ReadonlySet<string> => {
  const keys = new Set<string>()
  for (const one of constraints) {
    for (const key of Object.keys(one.nodeSelector)) keys.add(key)
    for (const term of [...one.requiredNodeTerms, ...one.preferredNodeTerms.map((preferred) => preferred.term)]) {
      for (const { key } of term.expressions) keys.add(key)
    }
    for (const { topologyKey } of one.topologySpread) keys.add(topologyKey)
    for (const { required, preferred } of [one.podAffinity, one.podAntiAffinity]) {
      for (const { topologyKey } of [...required, ...preferred.map(({ term }) => term)]) keys.add(topologyKey)
    }
  }
  return keys
}

/** The pod's labels under the given keys, as text that equals another's exactly when the labels do. */
export const labelSignature = (labels: Labels, keys: ReadonlyArray<string>): string => {
  let signature = ''
  for (const key of keys) {
    const value = Labels.get(labels, key)
    signature += value === undefined ? '\u0001' : `=${value}\u0001`
  }
  return signature
}
