import * as E from 'fp-ts/lib/Either.js'

import {
  podKey,
  type Pod,
  type PodAffinityTerm,
  type PodConstraints,
  type TopologySpreadConstraint,
} from '../cluster/index.ts'
import { compareText } from '../internal/index.ts'
import { labelKeys, Labels, type LabelSelector, type Selector } from '../labels/index.ts'
import type { Aliases } from '../requirements/index.ts'
import { Taints, type Taint } from '../taints/index.ts'
import type { DomainUniverse } from './domain-universe.ts'
import { DomainSpace } from './domains.ts'
import { NodeFilter } from './node-filter.ts'
import type { RequirementSet, RequirementTable } from './requirement-table.ts'
import { rollBack, TopologyGroup, type Journal, type TopologyKind, type TopologyRule } from './topology-group.ts'

/** A Node as topology counts it: its own labels and taints, not those of its claim. */
export interface CountedNode {
  readonly name: string
  readonly labels: Labels
  readonly set: RequirementSet
  readonly taints: ReadonlyArray<Taint>
}

/** A pod that runs already and is not being moved. */
export interface CountedPod {
  readonly pod: Pod
  readonly node: CountedNode
}

/** What of a pod decides its groups: its place among pods and the constraints still in force. */
export interface TopologySubject {
  readonly namespace: string
  readonly labels: Labels
  readonly constraints: PodConstraints
}

export interface TopologyContext {
  readonly table: RequirementTable
  readonly universe: DomainUniverse
  readonly aliases: Aliases
  readonly namespaces: ReadonlyMap<string, Labels>
  /** Under `Ignore`, preferences and ScheduleAnyway make no groups (P-PRF-05). */
  readonly preferencePolicy: 'Respect' | 'Ignore'
  /**
   * Whether constraints are read as the scheduler reads them, other than the reference does: one pod must meet all terms
   * of affinity; affinity to pods that run only where the pod may not go is unmet; and a spread is over what NodePools
   * offer that the pod could use.
   */
  readonly readsAsScheduler: boolean
  /** Nodes that stay, with the labels in force for each (P-TOP-04). */
  readonly nodes: ReadonlyArray<{ readonly node: CountedNode; readonly labelsInForce: Labels }>
  readonly pods: ReadonlyArray<CountedPod>
}

/** A node that a simulation takes away, with those of its counted pods that are placed anew. */
export interface LeavingNode {
  readonly node: CountedNode
  readonly labelsInForce: Labels
  readonly pods: ReadonlyArray<Pod>
}

// What a group loses with a node.
interface Loss {
  readonly group: TopologyGroup
  readonly domain: number
  readonly nodes: number
  readonly pods: number
}

const unlimited = 2 ** 31 - 1
const honoringAll = { nodeAffinityPolicy: 'Honor', nodeTaintsPolicy: 'Honor' } as const

/**
 * The topology groups of one pass.
 *
 * A group is made when a pod first needs it, counts what runs in the cluster then, and is shared by every pod whose
 * constraint has the same identity (P-TOP-01, P-TOP-06).
 */
export class Topology {
  readonly #context: TopologyContext
  readonly #spaces = new Map<string, DomainSpace>()
  readonly #byIdentity = new Map<string, TopologyGroup>()
  readonly #inverseByIdentity = new Map<string, TopologyGroup>()
  readonly #podsByNamespace = new Map<string, Array<CountedPod>>()
  /** Every group, in order of creation. */
  readonly groups: Array<TopologyGroup> = []
  /** Groups of required anti-affinity seen from the other side: pods they select keep away from their owners. */
  readonly inverse: Array<TopologyGroup> = []
  readonly #journal: Journal = { entries: undefined }
  /** By place among the universe's pools. */
  readonly #poolSets: ReadonlyArray<RequirementSet>
  /** What a group was made from, by group: pods that share it and would have made another see the first one's. */
  readonly #origins = new Map<TopologyGroup, string>()
  readonly #alike = new Map<TopologyGroup, Set<PodConstraints>>()
  /** Which running pods a group counts; an absent selector counts every one (W22). */
  readonly #counted = new Map<TopologyGroup, Selector>()
  readonly #losses = new Map<LeavingNode, ReadonlyArray<Loss>>()
  #leaving: ReadonlyArray<LeavingNode> = []
  #hasSharedUnlike = false

  constructor(context: TopologyContext) {
    this.#context = context
    this.#poolSets = context.universe.pools.map(({ requirements }) => context.table.supply(requirements))
    for (const counted of context.pods) {
      const { namespace } = counted.pod
      const neighbours = this.#podsByNamespace.get(namespace)
      if (neighbours === undefined) this.#podsByNamespace.set(namespace, [counted])
      else neighbours.push(counted)
    }
    // The first pod of a group decides which domains it starts with: always the same one, whatever the order given.
    const antiAffine = context.pods.filter(({ pod }) => pod.constraints.podAntiAffinity.required.length > 0)
    for (const { pod, node } of antiAffine.sort((a, b) => compareText(podKey(a.pod), podKey(b.pod)))) {
      this.addInverse(pod, node.labels)
    }
  }

  space(key: string): DomainSpace {
    const known = this.#spaces.get(key)
    if (known !== undefined) return known
    const space = new DomainSpace(key)
    this.#spaces.set(key, space)
    return space
  }

  /** The groups that constrain a pod, made where they are new. */
  groupsOf(subject: TopologySubject): ReadonlyArray<TopologyGroup> {
    const { constraints } = subject
    const isRespected = this.#context.preferencePolicy === 'Respect'
    const found = new Set<TopologyGroup>()
    for (const constraint of constraints.topologySpread) {
      if (isRespected || constraint.whenUnsatisfiable === 'DoNotSchedule') found.add(this.#spread(subject, constraint))
    }
    for (const [kind, affinity] of [
      ['affinity', constraints.podAffinity],
      ['anti-affinity', constraints.podAntiAffinity],
    ] as const) {
      const isJoint = kind === 'affinity' && affinity.required.length > 1 && this.#context.readsAsScheduler
      for (const term of affinity.required)
        found.add(this.#affinity(kind, subject, term, isJoint ? affinity.required.filter((one) => one !== term) : []))
      if (isRespected) for (const { term } of affinity.preferred) found.add(this.#affinity(kind, subject, term, []))
    }
    return [...found]
  }

  /** The inverse groups that a pod owns by its required anti-affinity; with `labels`, those of the node it runs on (P-AFF-09). */
  addInverse(subject: TopologySubject, labels?: Labels): ReadonlyArray<TopologyGroup> {
    return subject.constraints.podAntiAffinity.required.map((term) => {
      const rule = this.#affinityRule('anti-affinity', subject.namespace, term)
      const identity = this.#identity(rule, term.labelSelector, '')
      const origin = () => this.#originOf(rule, subject)
      let group = this.#inverseByIdentity.get(identity)
      if (group === undefined) {
        group = this.#made(rule, subject)
        this.#inverseByIdentity.set(identity, group)
        this.inverse.push(group)
        this.#origins.set(group, origin())
      } else this.#compareOrigins(group, subject.constraints, origin)
      const domain = labels === undefined ? undefined : Labels.get(labels, term.topologyKey)
      if (domain !== undefined) group.record(rule.space.index(domain))
      return group
    })
  }

  #spread(subject: TopologySubject, constraint: TopologySpreadConstraint): TopologyGroup {
    const { table, aliases, readsAsScheduler } = this.#context
    const { topologyKey, maxSkew, minDomains } = constraint
    const labelSelector = withLabelKeys(constraint, subject.labels)
    const isHost = topologyKey === labelKeys.hostname
    const rule: TopologyRule = {
      kind: 'spread',
      space: this.space(topologyKey),
      isHost,
      namespaces: new Set([subject.namespace]),
      selector: selectorOf(labelSelector),
      maxSkew,
      ...(minDomains === undefined ? {} : { minDomains }),
      filter: new NodeFilter(table, subject.constraints, constraint, aliases),
      ...(isHost && readsAsScheduler && !this.#couldBuy(subject.constraints) ? { hasNoNewHosts: true } : {}),
    }
    const filter = filterIdentity(subject.constraints, constraint)
    const asked = readsAsScheduler ? JSON.stringify(filterOrigin(subject.constraints)) : ''
    const identity = this.#identity(rule, labelSelector, `${filter}${asked}`)
    const ignoresTaints = constraint.nodeTaintsPolicy === 'Ignore'
    const origin = () =>
      JSON.stringify([this.#originOf(rule, subject, ignoresTaints), minDomains, filterOrigin(subject.constraints)])
    return this.#shared(identity, subject.constraints, origin, () => {
      const group = this.#made(rule, subject, ignoresTaints)
      this.#countCluster(group, labelSelector)
      return group
    })
  }

  #affinity(
    kind: TopologyKind,
    subject: TopologySubject,
    term: PodAffinityTerm,
    others: ReadonlyArray<PodAffinityTerm>,
  ): TopologyGroup {
    const own = this.#affinityRule(kind, subject.namespace, term)
    const alsoSelecting = others.map((one) => this.#affinityRule(kind, subject.namespace, one))
    const rule = others.length === 0 ? own : { ...own, alsoSelecting }
    const beside = others.map((other, index) => this.#identity(alsoSelecting[index]!, other.labelSelector, ''))
    const origin = () => this.#originOf(rule, subject)
    const identity = this.#identity(rule, term.labelSelector, beside.sort(compareText).join())
    return this.#shared(identity, subject.constraints, origin, () => {
      const group = this.#made(rule, subject)
      this.#countCluster(group, term.labelSelector)
      return group
    })
  }

  #affinityRule(kind: TopologyKind, namespace: string, term: PodAffinityTerm): TopologyRule {
    return {
      kind,
      space: this.space(term.topologyKey),
      isHost: term.topologyKey === labelKeys.hostname,
      namespaces: this.#namespacesOf(namespace, term),
      selector: selectorOf(term.labelSelector),
      maxSkew: unlimited,
      ...(kind === 'affinity' && this.#context.readsAsScheduler ? { startsOnce: true } : {}),
    }
  }

  // P-AFF-02. A selector that does not parse selects no namespace, so that the pod alone suffers.
  #namespacesOf(own: string, { namespaces, namespaceSelector }: PodAffinityTerm): ReadonlySet<string> {
    if (namespaceSelector === undefined) return new Set(namespaces.length === 0 ? [own] : namespaces)
    const selector = selectorOf(namespaceSelector)
    const selected = [...this.#context.namespaces].filter(([, labels]) => Labels.matches(selector, labels))
    return new Set([...selected.map(([name]) => name), ...namespaces])
  }

  #shared(
    identity: string,
    constraints: PodConstraints,
    origin: () => string,
    make: () => TopologyGroup,
  ): TopologyGroup {
    const known = this.#byIdentity.get(identity)
    if (known !== undefined) {
      this.#compareOrigins(known, constraints, origin)
      return known
    }
    const group = make()
    this.#byIdentity.set(identity, group)
    this.groups.push(group)
    this.#origins.set(group, origin())
    for (const leaving of this.#leaving) this.#apply(this.#lossesOf(leaving, [group], []))
    return group
  }

  // Pods by the thousand have one object of constraints, so that is looked at once.
  #compareOrigins(group: TopologyGroup, constraints: PodConstraints, origin: () => string): void {
    if (this.#hasSharedUnlike) return
    const known = this.#alike.get(group)
    if (known?.has(constraints) === true) return
    if (known === undefined) this.#alike.set(group, new Set([constraints]))
    else known.add(constraints)
    if (this.#origins.get(group) !== origin()) this.#hasSharedUnlike = true
  }

  #originOf(rule: TopologyRule, subject: TopologySubject, ignoresTaints = false): string {
    return this.#offered(rule, subject, ignoresTaints).join('\u0001')
  }

  // Without the scheduler's reading, all that the pod tolerates: which labels it asks for does not matter (W21).
  #offered({ space, filter }: TopologyRule, { constraints }: TopologySubject, ignoresTaints: boolean) {
    const { universe, readsAsScheduler } = this.#context
    const isOpen = universe.pools.map(
      ({ nodePool: { taints } }, pool) =>
        (ignoresTaints || Taints.areTolerated(taints, constraints.tolerations)) &&
        (!readsAsScheduler || filter === undefined || filter.mayMatch(this.#poolSets[pool]!)),
    )
    return universe.domains(space.key, isOpen)
  }

  // Whether some NodePool offers nodes with labels that the pod asks for, behind taints that it tolerates.
  #couldBuy(constraints: PodConstraints): boolean {
    const { table, universe, aliases } = this.#context
    const filter = new NodeFilter(table, constraints, honoringAll, aliases)
    return universe.pools.some(({ nodePool: { taints } }, pool) => {
      const hard = taints.filter(({ effect }) => effect !== 'PreferNoSchedule')
      return Taints.areTolerated(hard, constraints.tolerations) && filter.mayMatch(this.#poolSets[pool]!)
    })
  }

  // The first pod's tolerations decide which domains the group starts with, even for those that share it (W20).
  #made(rule: TopologyRule, subject: TopologySubject, ignoresTaints = false): TopologyGroup {
    const group = new TopologyGroup(rule, this.#journal)
    for (const domain of this.#offered(rule, subject, ignoresTaints)) {
      group.register(rule.space.index(domain))
    }
    return group
  }

  // P-TOP-04, P-TOP-05. An absent selector selects no pod of the pass but counts every pod of the cluster (W22).
  #countCluster(group: TopologyGroup, labelSelector: LabelSelector | undefined): void {
    this.#counted.set(group, labelSelector === undefined ? Labels.selectEverything : group.rule.selector)
    for (const { node, labelsInForce } of this.#context.nodes) {
      const domain = this.#domainOfNode(group, node, labelsInForce)
      if (domain !== undefined) group.register(domain)
    }
    for (const namespace of group.rule.namespaces) {
      for (const { pod, node } of this.#podsByNamespace.get(namespace) ?? []) {
        const domain = this.#domainOfPod(group, pod, node)
        if (domain !== undefined) group.record(domain)
      }
    }
  }

  // The domain that a node vouches for.
  #domainOfNode({ rule }: TopologyGroup, node: CountedNode, labelsInForce: Labels): number | undefined {
    const domain = Labels.get(labelsInForce, rule.space.key)
    return domain !== undefined && isCounted(rule, node) ? rule.space.index(domain) : undefined
  }

  // The domain in which a running pod counts.
  #domainOfPod(group: TopologyGroup, pod: Pod, node: CountedNode): number | undefined {
    const { rule } = group
    const selector = this.#counted.get(group)
    if (selector === undefined || !rule.namespaces.has(pod.namespace)) return undefined
    if (pod.deletionTimestampMs !== undefined || !Labels.matches(selector, pod.labels)) return undefined
    if (!group.selectsFurther(pod.namespace, pod.labels)) return undefined
    const domain = Labels.get(node.labels, rule.space.key) ?? (rule.isHost ? node.name : undefined)
    return domain !== undefined && isCounted(rule, node) ? rule.space.index(domain) : undefined
  }

  /** Whether pods share a group that each by itself would have made otherwise, so that the order of pods matters (W19, W20). */
  get hasSharedUnlike(): boolean {
    return this.#hasSharedUnlike
  }

  /** Takes nodes away until {@link putBack}; what is counted in between is forgotten then. */
  takeAway(leaving: ReadonlyArray<LeavingNode>): void {
    this.#journal.entries = []
    this.#leaving = leaving
    for (const node of leaving) {
      let losses = this.#losses.get(node)
      if (losses === undefined) this.#losses.set(node, (losses = this.#lossesOf(node, this.groups, this.inverse)))
      this.#apply(losses)
    }
  }

  /** Puts the nodes back, undoes all counting since, and forgets the groups made since: `made` of them were there. */
  putBack(made: number): void {
    rollBack(this.#journal)
    this.#leaving = []
    if (this.groups.length === made) return
    const forgotten = new Set(this.groups.splice(made))
    for (const [identity, group] of this.#byIdentity) if (forgotten.has(group)) this.#byIdentity.delete(identity)
  }

  #apply(losses: ReadonlyArray<Loss>): void {
    for (const { group, domain, nodes, pods } of losses) group.withdraw(domain, { nodes, pods })
  }

  #lossesOf(
    { node, labelsInForce, pods }: LeavingNode,
    groups: ReadonlyArray<TopologyGroup>,
    inverse: ReadonlyArray<TopologyGroup>,
  ): ReadonlyArray<Loss> {
    const losses: Array<Loss> = []
    for (const group of groups) {
      const vouched = this.#domainOfNode(group, node, labelsInForce)
      if (vouched !== undefined) losses.push({ group, domain: vouched, nodes: 1, pods: 0 })
      for (const pod of pods) {
        const domain = this.#domainOfPod(group, pod, node)
        if (domain !== undefined) losses.push({ group, domain, nodes: 0, pods: 1 })
      }
    }
    if (inverse.length === 0) return losses
    for (const pod of pods) {
      for (const term of pod.constraints.podAntiAffinity.required) {
        const rule = this.#affinityRule('anti-affinity', pod.namespace, term)
        const group = this.#inverseByIdentity.get(this.#identity(rule, term.labelSelector, ''))
        const domain = Labels.get(node.labels, term.topologyKey)
        if (group !== undefined && domain !== undefined)
          losses.push({ group, domain: rule.space.index(domain), nodes: 0, pods: 1 })
      }
    }
    return losses
  }

  // What the reference hashes. minDomains and the values in the node filter are not part of it (W19).
  #identity(rule: TopologyRule, selector: LabelSelector | undefined, filter: string): string {
    return JSON.stringify([
      rule.space.key,
      rule.kind,
      [...rule.namespaces].sort(compareText),
      rule.maxSkew,
      filter,
      selectorIdentity(selector),
    ])
  }
}

const isCounted = ({ filter }: TopologyRule, node: CountedNode): boolean =>
  filter === undefined || filter.matches(node.taints, node.set, hostnameOf(node))

// What a spread's node filter is made of; identity looks at less (W19).
const filterOrigin = ({ nodeSelector, requiredNodeTerms, tolerations }: PodConstraints): unknown => [
  Object.entries(nodeSelector).sort(([a], [b]) => compareText(a, b)),
  requiredNodeTerms.map(({ expressions }) => expressions),
  tolerations,
]

const hostnameOf = ({ labels, name }: CountedNode): string => Labels.get(labels, labelKeys.hostname) || name

// P-TOP-11.
const selectorOf = (selector: LabelSelector | undefined): Selector =>
  E.getOrElse(() => Labels.selectNothing as Selector)(Labels.checkSelector(selector))

// P-TSC-08.
const withLabelKeys = (
  { labelSelector, matchLabelKeys }: TopologySpreadConstraint,
  labels: Labels,
): LabelSelector | undefined => {
  const expressions = matchLabelKeys.flatMap((key) => {
    const value = Labels.get(labels, key)
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }]
  })
  return labelSelector === undefined || expressions.length === 0
    ? labelSelector
    : { ...labelSelector, matchExpressions: [...(labelSelector.matchExpressions ?? []), ...expressions] }
}

const selectorIdentity = (selector: LabelSelector | undefined): unknown => {
  if (selector === undefined) return null
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) =>
    JSON.stringify([key, operator, [...new Set(values)].sort(compareText)]),
  )
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => compareText(a, b))
  return [labels, [...new Set(expressions)].sort(compareText)]
}

// Terms count by their keys alone, and equal ones cancel in pairs, as do equal tolerations (W19).
const filterIdentity = (
  { nodeSelector, requiredNodeTerms, tolerations }: PodConstraints,
  { nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpreadConstraint,
): string => {
  const selected = Object.keys(nodeSelector)
  const terms = (requiredNodeTerms.length === 0 ? [{ expressions: [] }] : requiredNodeTerms).map(({ expressions }) =>
    JSON.stringify([...new Set([...selected, ...expressions.map(({ key }) => key)])].sort(compareText)),
  )
  const marks = tolerations.map(({ key, operator, value, effect, tolerationSeconds }) =>
    JSON.stringify([key ?? '', operator ?? '', value ?? '', effect ?? '', tolerationSeconds ?? null]),
  )
  return JSON.stringify([oddlyMany(terms), nodeAffinityPolicy, nodeTaintsPolicy, oddlyMany(marks)])
}

const oddlyMany = (texts: ReadonlyArray<string>): ReadonlyArray<string> => {
  const odd = new Set<string>()
  for (const text of texts) if (!odd.delete(text)) odd.add(text)
  return [...odd].sort(compareText)
}
