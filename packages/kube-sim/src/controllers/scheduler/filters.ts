import { canonicalText } from '../canonical.ts'
import { admitsNode, isTolerated, meetsNodeTerm } from '../selectors.ts'
import type { AntiAffinityOwners, ClusterState } from './cluster-state.ts'
import type { NodeState, PlacedPod } from './node-state.ts'
import type { CompiledSpread, HostPort, PodClass } from './pod-class.ts'
import type { Counter } from './topology-counts.ts'

/** Why one node does not take a pod, in kube-scheduler's words. */
export interface Rejection {
  readonly reasons: ReadonlyArray<string>
  /** Whether evicting pods from the node could help. */
  readonly isResolvable: boolean
}

/** What a class's volumes ask of a node. */
export type VolumeCheck = (node: NodeState) => Rejection | undefined

/** One pod's turn: what is the same for every node is worked out once. */
export interface Trial {
  /** The first filter that rejects the node, in kube-scheduler's order, or nothing when the node takes the pod. */
  readonly check: (node: NodeState) => Rejection | undefined
}

/** Facts of a class on a node that hold until the node's labels, taints or cordon change. */
export interface StaticFacts {
  readonly version: number
  readonly rejection: Rejection | undefined
  readonly preferredWeight: number
  readonly untoleratedSoftTaints: number
}

export interface Filters {
  readonly trial: (podClass: PodClass, checkVolumes?: VolumeCheck) => Trial
  readonly staticFacts: (podClass: PodClass, node: NodeState) => StaticFacts
  /** Whether a class's own constraints and the free room of this one node do not rule it out; ignores other pods. */
  readonly couldFit: (podClass: PodClass, node: NodeState) => boolean
  readonly countersOf: (podClass: PodClass) => ClassCounters
}

export interface ClassCounters {
  readonly hardSpreads: ReadonlyArray<{ readonly spread: CompiledSpread; readonly counter: Counter }>
  readonly softSpreads: ReadonlyArray<{ readonly spread: CompiledSpread; readonly counter: Counter }>
  readonly affinity: ReadonlyArray<Counter>
  readonly antiAffinity: ReadonlyArray<Counter>
  readonly preferred: ReadonlyArray<{ readonly weight: number; readonly counter: Counter }>
  readonly matchesOwnAffinity: boolean
}

const final = (reason: string): Rejection => ({ reasons: [reason], isResolvable: false })
const passing = (reason: string): Rejection => ({ reasons: [reason], isResolvable: true })

const otherNode = final("node(s) didn't satisfy plugin(s) [NodeAffinity]")
const cordoned = final('node(s) were unschedulable')
const affinityMismatch = final("node(s) didn't match Pod's node affinity/selector")
const portTaken = passing("node(s) didn't have free ports for the requested pod ports")
const spreadMissingLabel = final("node(s) didn't match pod topology spread constraints (missing required label)")
const spreadSkewed = passing("node(s) didn't match pod topology spread constraints")
const affinityUnmet = final("node(s) didn't match pod affinity rules")
const antiAffinityUnmet = passing("node(s) didn't match pod anti-affinity rules")
const repelled = passing("node(s) didn't satisfy existing pods anti-affinity rules")

const cordonTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/**
 * The filters of kube-scheduler's default profile, in its order.
 *
 * Source: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
 */
export const filters = (state: ClusterState): Filters => {
  const factsByClass = new WeakMap<PodClass, Map<NodeState, StaticFacts>>()
  const counters = new WeakMap<PodClass, ClassCounters>()
  const repellents = new WeakMap<
    PodClass,
    { readonly seen: number; readonly owners: ReadonlyArray<AntiAffinityOwners> }
  >()

  const staticFacts = (podClass: PodClass, node: NodeState): StaticFacts => {
    let facts = factsByClass.get(podClass)
    if (facts === undefined) factsByClass.set(podClass, (facts = new Map()))
    const known = facts.get(node)
    if (known !== undefined && known.version === node.version) return known
    const made = computeFacts(podClass, node)
    // Nodes come and go; a class keeps facts about living ones only.
    if (facts.size > 2 * state.nodes().length + 64) facts.clear()
    facts.set(node, made)
    return made
  }

  const countersOf = (podClass: PodClass): ClassCounters => {
    const known = counters.get(podClass)
    if (known !== undefined) return known
    const made = makeCounters(state, podClass)
    counters.set(podClass, made)
    return made
  }

  const repelling = (podClass: PodClass): ReadonlyArray<AntiAffinityOwners> => {
    const known = repellents.get(podClass)
    if (known !== undefined && known.seen === state.antiAffinity.size) return known.owners
    const owners = [...state.antiAffinity.values()].filter(({ term }) =>
      term.selects(podClass.namespace, podClass.labels),
    )
    repellents.set(podClass, { seen: state.antiAffinity.size, owners })
    return owners
  }

  return {
    staticFacts,
    countersOf,
    couldFit: (podClass, node) =>
      staticFacts(podClass, node).rejection === undefined && checkRoom(state, podClass, node) === undefined,
    trial: (podClass, checkVolumes) => {
      const { hardSpreads, affinity, antiAffinity, matchesOwnAffinity } = countersOf(podClass)
      const spreads = hardSpreads.map(({ spread, counter }) => ({
        spread,
        counter,
        fewest: fewestPods(spread, counter),
      }))
      // A pod that matches its own affinity may be the first of its kind.
      const isFirst = matchesOwnAffinity && affinity.every((counter) => counter.totalPods() === 0)
      const owners = repelling(podClass)
      const check = (node: NodeState): Rejection | undefined => {
        const fixed = staticFacts(podClass, node).rejection
        if (fixed !== undefined) return fixed
        if (podClass.hostPorts.length > 0 && hasPortConflict(podClass.hostPorts, node)) return portTaken
        const short = checkRoom(state, podClass, node)
        if (short !== undefined) return short
        const volumes = checkVolumes?.(node)
        if (volumes !== undefined) return volumes
        for (const { spread, counter, fewest } of spreads) {
          const value = node.label(spread.topologyKey)
          if (value === undefined) return spreadMissingLabel
          const present = counter.domains.get(value)?.pods ?? 0
          if (present + (spread.selectsSelf ? 1 : 0) - fewest > spread.maxSkew) return spreadSkewed
        }
        for (const counter of affinity) {
          const value = node.label(counter.topologyKey)
          if (value === undefined) return affinityUnmet
          if (!isFirst && (counter.domains.get(value)?.pods ?? 0) === 0) return affinityUnmet
        }
        for (const counter of antiAffinity) {
          const value = node.label(counter.topologyKey)
          if (value !== undefined && (counter.domains.get(value)?.pods ?? 0) > 0) return antiAffinityUnmet
        }
        for (const { term, domains } of owners) {
          const value = node.label(term.topologyKey)
          if (value !== undefined && domains.has(value)) return repelled
        }
        return undefined
      }
      return { check }
    },
  }
}

const computeFacts = (podClass: PodClass, node: NodeState): StaticFacts => {
  const untolerated = (isSoft: boolean) =>
    node.taints.filter(
      (taint) => (taint.effect === 'PreferNoSchedule') === isSoft && !isTolerated(taint, podClass.tolerations),
    )
  const taint = untolerated(false)[0]
  const rejection =
    podClass.onlyNodes !== undefined && !podClass.onlyNodes.has(node.name)
      ? otherNode
      : node.isUnschedulable && !isTolerated(cordonTaint, podClass.tolerations)
        ? cordoned
        : taint !== undefined
          ? final(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`)
          : admitsNode(podClass, node.labels, node.name)
            ? undefined
            : affinityMismatch
  let preferredWeight = 0
  for (const { weight, preference } of podClass.preferredNodes) {
    if (meetsNodeTerm(preference, node.labels, node.name)) preferredWeight += weight
  }
  return { version: node.version, rejection, preferredWeight, untoleratedSoftTaints: untolerated(true).length }
}

/** What of a node's room a class lacks. A request beyond the whole node cannot be helped by evicting pods. */
const checkRoom = (state: ClusterState, podClass: PodClass, node: NodeState): Rejection | undefined => {
  let reasons: Array<string> | undefined
  let isResolvable = true
  if (node.pods.size + 1 > node.allowedPods) reasons = ['Too many pods']
  for (const [column, amount] of podClass.request) {
    const total = node.allocatable[column] ?? 0
    if (amount <= total - (node.requested[column] ?? 0)) continue
    if (amount > total) isResolvable = false
    const reason = `Insufficient ${state.resourceOf(column)}`
    if (reasons === undefined) reasons = [reason]
    else reasons.push(reason)
  }
  return reasons === undefined ? undefined : { reasons, isResolvable }
}

const hasPortConflict = (wanted: ReadonlyArray<HostPort>, node: NodeState): boolean => {
  for (const pod of node.podsWithPorts) {
    for (const taken of pod.podClass.hostPorts) {
      for (const { port, protocol, address } of wanted) {
        const isSameAddress = address === taken.address || address === '0.0.0.0' || taken.address === '0.0.0.0'
        if (port === taken.port && protocol === taken.protocol && isSameAddress) return true
      }
    }
  }
  return false
}

// Fewer domains than `minDomains` count as if one more stood empty.
const fewestPods = ({ minDomains }: CompiledSpread, counter: Counter): number => {
  if (counter.domains.size < minDomains) return 0
  let fewest = Infinity
  for (const { pods } of counter.domains.values()) if (pods < fewest) fewest = pods
  return fewest === Infinity ? 0 : fewest
}

const makeCounters = (state: ClusterState, podClass: PodClass): ClassCounters => {
  const spreadCounters = (spreads: ReadonlyArray<CompiledSpread>) => {
    const keys = spreads.map(({ topologyKey }) => topologyKey)
    return spreads.map((spread) => {
      const nodeRules = spread.honorsAffinity ? [podClass.nodeSelector, podClass.requiredNodes] : null
      const taintRules = spread.honorsTaints ? podClass.tolerations : null
      const counter = state.counts.counter({
        key: canonicalText(['spread', spread.key, keys, nodeRules, taintRules]),
        topologyKey: spread.topologyKey,
        skipsTerminating: true,
        countsPod: (other) => other.namespace === podClass.namespace && spread.selects(other.labels),
        countsNode: (node) =>
          keys.every((key) => node.label(key) !== undefined) &&
          (!spread.honorsAffinity || admitsNode(podClass, node.labels, node.name)) &&
          (!spread.honorsTaints ||
            node.taints.every(
              (taint) => taint.effect === 'PreferNoSchedule' || isTolerated(taint, podClass.tolerations),
            )),
      })
      return { spread, counter }
    })
  }
  const podCounter = (key: unknown, topologyKey: string, countsPod: (other: PodClass) => boolean) =>
    state.counts.counter({
      key: canonicalText(key),
      topologyKey,
      skipsTerminating: false,
      countsPod,
      countsNode: () => true,
    })
  const allKeys = podClass.affinityTerms.map(({ key }) => key)
  return {
    hardSpreads: spreadCounters(podClass.hardSpreads),
    softSpreads: spreadCounters(podClass.softSpreads),
    // A pod satisfies affinity only if it matches all terms together.
    affinity: podClass.affinityTerms.map(({ topologyKey }) =>
      podCounter(['all', allKeys, topologyKey], topologyKey, (other) =>
        podClass.affinityTerms.every((term) => term.selects(other.namespace, other.labels)),
      ),
    ),
    antiAffinity: podClass.antiAffinityTerms.map((term) =>
      podCounter(['one', term.key], term.topologyKey, (other) => term.selects(other.namespace, other.labels)),
    ),
    preferred: podClass.preferredTerms.map(({ weight, term }) => ({
      weight,
      counter: podCounter(['one', term.key], term.topologyKey, (other) => term.selects(other.namespace, other.labels)),
    })),
    matchesOwnAffinity: podClass.affinityTerms.every((term) => term.selects(podClass.namespace, podClass.labels)),
  }
}

/**
 * The check of a node as if pods nominated to it were there already.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#preemption
 */
export const checkWithNominated = (
  state: ClusterState,
  makeTrial: () => Trial,
  node: NodeState,
  nominated: ReadonlyArray<PlacedPod>,
): Rejection | undefined => {
  for (const pod of nominated) state.reinstate(pod, node)
  const rejection = makeTrial().check(node)
  for (const pod of nominated) state.suspend(pod, node)
  return rejection ?? makeTrial().check(node)
}
