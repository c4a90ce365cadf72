import type { NodeState, PlacedPod } from './node-state.ts'
import type { PodClass } from './pod-class.ts'

/** What lives in one topology domain: eligible nodes and counted pods. */
export interface Domain {
  nodes: number
  pods: number
}

/** Which pods and nodes a counter counts. Equal keys must mean equal answers. */
export interface CounterSpec {
  readonly key: string
  readonly topologyKey: string
  readonly countsPod: (podClass: PodClass) => boolean
  readonly countsNode: (node: NodeState) => boolean
  /** Spread ignores pods that are being deleted; affinity does not. */
  readonly skipsTerminating: boolean
}

/** Pods by domain of one topology, kept up to date with every placement. */
export interface Counter {
  readonly topologyKey: string
  readonly domains: ReadonlyMap<string, Domain>
  readonly totalPods: () => number
}

/**
 * The counters that pod affinity and topology spread read.
 *
 * A counter is made on first use by one walk over the cluster. Cost: one look-up per counter for each placement after that;
 * whether a counter counts a class is decided once.
 */
export interface TopologyCounts {
  readonly counter: (spec: CounterSpec) => Counter
  readonly place: (pod: PlacedPod, node: NodeState) => void
  readonly unplace: (pod: PlacedPod, node: NodeState) => void
  /** The node without its pods; call `unplace` for them before `removeNode`, and `place` after `addNode`. */
  readonly addNode: (node: NodeState) => void
  readonly removeNode: (node: NodeState) => void
}

interface LiveCounter extends Counter {
  readonly spec: CounterSpec
  readonly domains: Map<string, Domain>
  readonly domainOfNode: Map<NodeState, Domain>
  readonly countsClass: Map<number, boolean>
  total: number
}

export const topologyCounts = (nodes: () => Iterable<NodeState>): TopologyCounts => {
  const counters = new Map<string, LiveCounter>()

  const addNodeTo = (counter: LiveCounter, node: NodeState) => {
    const value = node.label(counter.topologyKey)
    if (value === undefined || !counter.spec.countsNode(node)) return
    let domain = counter.domains.get(value)
    if (domain === undefined) counter.domains.set(value, (domain = { nodes: 0, pods: 0 }))
    domain.nodes += 1
    counter.domainOfNode.set(node, domain)
  }
  const count = (counter: LiveCounter, pod: PlacedPod, node: NodeState, step: 1 | -1) => {
    if (counter.spec.skipsTerminating && pod.isTerminating) return
    let counts = counter.countsClass.get(pod.podClass.id)
    if (counts === undefined) counter.countsClass.set(pod.podClass.id, (counts = counter.spec.countsPod(pod.podClass)))
    if (!counts) return
    const domain = counter.domainOfNode.get(node)
    if (domain === undefined) return
    domain.pods += step
    counter.total += step
  }
  const make = (spec: CounterSpec): LiveCounter => {
    const counter: LiveCounter = {
      spec,
      topologyKey: spec.topologyKey,
      domains: new Map(),
      domainOfNode: new Map(),
      countsClass: new Map(),
      total: 0,
      totalPods: () => counter.total,
    }
    for (const node of nodes()) {
      addNodeTo(counter, node)
      for (const pod of node.pods) count(counter, pod, node, 1)
    }
    counters.set(spec.key, counter)
    return counter
  }
  return {
    counter: (spec) => counters.get(spec.key) ?? make(spec),
    place: (pod, node) => {
      for (const counter of counters.values()) count(counter, pod, node, 1)
    },
    unplace: (pod, node) => {
      for (const counter of counters.values()) count(counter, pod, node, -1)
    },
    addNode: (node) => {
      for (const counter of counters.values()) addNodeTo(counter, node)
    },
    removeNode: (node) => {
      for (const counter of counters.values()) {
        const domain = counter.domainOfNode.get(node)
        if (domain === undefined) continue
        counter.domainOfNode.delete(node)
        domain.nodes -= 1
        if (domain.nodes > 0) continue
        const value = node.label(counter.topologyKey)
        if (value !== undefined) counter.domains.delete(value)
      }
    },
  }
}
