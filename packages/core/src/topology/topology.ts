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
import type { Taint } from '../taints/index.ts'
import type { DomainUniverse } from './domain-universe.ts'
import { DomainSpace } from './domains.ts'
import { NodeFilter } from './node-filter.ts'
import type { RequirementSet, RequirementTable } from './requirement-table.ts'
import { TopologyGroup, type TopologyKind, type TopologyRule } from './topology-group.ts'

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
  /** Nodes that stay, with the labels in force for each (P-TOP-04). */
  readonly nodes: ReadonlyArray<{ readonly node: CountedNode; readonly labelsInForce: Labels }>
  readonly pods: ReadonlyArray<CountedPod>
}

const unlimited = 2 ** 31 - 1

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

  constructor(context: TopologyContext) {
    this.#context = context
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
      for (const term of affinity.required) found.add(this.#affinity(kind, subject, term))
      if (isRespected) for (const { term } of affinity.preferred) found.add(this.#affinity(kind, subject, term))
    }
    return [...found]
  }

  /** The inverse groups that a pod owns by its required anti-affinity; with `labels`, those of the node it runs on (P-AFF-09). */
  addInverse(subject: TopologySubject, labels?: Labels): ReadonlyArray<TopologyGroup> {
    return subject.constraints.podAntiAffinity.required.map((term) => {
      const rule = this.#affinityRule('anti-affinity', subject.namespace, term)
      const identity = this.#identity(rule, term.labelSelector, '')
      let group = this.#inverseByIdentity.get(identity)
      if (group === undefined) {
        group = this.#made(rule, subject)
        this.#inverseByIdentity.set(identity, group)
        this.inverse.push(group)
      }
      const domain = labels === undefined ? undefined : Labels.get(labels, term.topologyKey)
      if (domain !== undefined) group.record(rule.space.index(domain))
      return group
    })
  }

  #spread(subject: TopologySubject, constraint: TopologySpreadConstraint): TopologyGroup {
    const { table, aliases } = this.#context
    const { topologyKey, maxSkew, minDomains } = constraint
    const labelSelector = withLabelKeys(constraint, subject.labels)
    const rule: TopologyRule = {
      kind: 'spread',
      space: this.space(topologyKey),
      isHost: topologyKey === labelKeys.hostname,
      namespaces: new Set([subject.namespace]),
      selector: selectorOf(labelSelector),
      maxSkew,
      ...(minDomains === undefined ? {} : { minDomains }),
      filter: new NodeFilter(table, subject.constraints, constraint, aliases),
    }
    const identity = this.#identity(rule, labelSelector, filterIdentity(subject.constraints, constraint))
    return this.#shared(identity, () => {
      const group = this.#made(rule, subject, constraint.nodeTaintsPolicy === 'Ignore')
      this.#countCluster(group, labelSelector)
      return group
    })
  }

  #affinity(kind: TopologyKind, subject: TopologySubject, term: PodAffinityTerm): TopologyGroup {
    const rule = this.#affinityRule(kind, subject.namespace, term)
    return this.#shared(this.#identity(rule, term.labelSelector, ''), () => {
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
    }
  }

  // P-AFF-02. A selector that does not parse selects no namespace, so that the pod alone suffers.
  #namespacesOf(own: string, { namespaces, namespaceSelector }: PodAffinityTerm): ReadonlySet<string> {
    if (namespaceSelector === undefined) return new Set(namespaces.length === 0 ? [own] : namespaces)
    const selector = selectorOf(namespaceSelector)
    const selected = [...this.#context.namespaces].filter(([, labels]) => Labels.matches(selector, labels))
    return new Set([...selected.map(([name]) => name), ...namespaces])
  }

  #shared(identity: string, make: () => TopologyGroup): TopologyGroup {
    const known = this.#byIdentity.get(identity)
    if (known !== undefined) return known
    const group = make()
    this.#byIdentity.set(identity, group)
    this.groups.push(group)
    return group
  }

  // The first pod's tolerations decide which domains the group starts with, even for those that share it (W20).
  #made(rule: TopologyRule, subject: TopologySubject, ignoresTaints = false): TopologyGroup {
    const group = new TopologyGroup(rule)
    const tolerations = ignoresTaints ? undefined : subject.constraints.tolerations
    for (const domain of this.#context.universe.domains(rule.space.key, tolerations)) {
      group.register(rule.space.index(domain))
    }
    return group
  }

  // P-TOP-04, P-TOP-05. An absent selector selects no pod of the pass but counts every pod of the cluster (W22).
  #countCluster(group: TopologyGroup, labelSelector: LabelSelector | undefined): void {
    const { space, isHost, filter, namespaces } = group.rule
    const counts = (node: CountedNode) =>
      filter === undefined || filter.matches(node.taints, node.set, hostnameOf(node))
    for (const { node, labelsInForce } of this.#context.nodes) {
      const domain = Labels.get(labelsInForce, space.key)
      if (domain !== undefined && counts(node)) group.register(space.index(domain))
    }
    const selector = labelSelector === undefined ? Labels.selectEverything : group.rule.selector
    for (const namespace of namespaces) {
      for (const { pod, node } of this.#podsByNamespace.get(namespace) ?? []) {
        if (pod.deletionTimestampMs !== undefined || !Labels.matches(selector, pod.labels)) continue
        const domain = Labels.get(node.labels, space.key) ?? (isHost ? node.name : undefined)
        if (domain !== undefined && counts(node)) group.record(space.index(domain))
      }
    }
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
