import type { NodeObject, PodObject, Taint } from '../objects.ts'
import { isTerminal, keyOf } from '../pod-state.ts'
import type { Labels } from '../selectors.ts'
import { amountOf } from './amounts.ts'
import { classTable, type CompiledTerm, type PodClass } from './pod-class.ts'
import type { NodeState, PlacedPod } from './node-state.ts'
import { topologyCounts, type TopologyCounts } from './topology-counts.ts'

interface MutableNode extends NodeState {
  object: NodeObject
  version: number
  taints: ReadonlyArray<Taint>
  isUnschedulable: boolean
  allocatable: Array<number>
  allowedPods: number
  requested: Array<number>
  scoredCpuMilli: number
  scoredMemoryBytes: number
  pods: Set<PlacedPod>
  podsWithPorts: Set<PlacedPod>
  labels: Labels
}

/** The required anti-affinity of pods that are placed, by domain: where pods that a term selects may not go. */
export interface AntiAffinityOwners {
  readonly term: CompiledTerm
  readonly domains: Map<string, number>
}

/** What a change of a node may open up for pods that did not fit. */
export type NodeChange = 'none' | 'constraints' | 'room'

/**
 * The scheduler's view of the cluster: nodes with running totals, the pods on them, and counts by topology.
 *
 * All updates are incremental. It is plain data and functions: no clock, no API.
 */
export interface ClusterState {
  readonly columnOf: (resource: string) => number
  readonly resourceOf: (column: number) => string
  readonly classOf: (pod: PodObject) => PodClass
  readonly nodes: () => ReadonlyArray<NodeState>
  readonly node: (name: string) => NodeState | undefined
  readonly setNode: (object: NodeObject) => NodeChange
  readonly removeNode: (name: string) => void
  readonly placed: (key: string) => PlacedPod | undefined
  /** The node's name that a placed pod was given; it need not exist yet. */
  readonly nodeOf: (key: string) => string | undefined
  readonly place: (object: PodObject, nodeName: string) => void
  readonly unplace: (key: string) => boolean
  /** Takes a pod off its node for a what-if; `reinstate` undoes it. */
  readonly suspend: (pod: PlacedPod, node: NodeState) => void
  readonly reinstate: (pod: PlacedPod, node: NodeState) => void
  readonly counts: TopologyCounts
  readonly antiAffinity: ReadonlyMap<string, AntiAffinityOwners>
  /** The lowest priority among placed pods, or `undefined` when there are none. */
  readonly lowestPriority: () => number | undefined
}

export const clusterState = (namespaceLabels: (namespace: string) => Labels): ClusterState => {
  const columns = new Map<string, number>()
  const names: Array<string> = []
  const columnOf = (resource: string) => {
    const known = columns.get(resource)
    if (known !== undefined) return known
    columns.set(resource, names.length)
    names.push(resource)
    return names.length - 1
  }
  const classes = classTable({ columnOf, namespaceLabels })
  const nodes = new Map<string, MutableNode>()
  let nodeList: ReadonlyArray<MutableNode> | undefined
  const pods = new Map<string, { readonly pod: PlacedPod; readonly nodeName: string }>()
  // Pods bound to nodes that have not been seen (yet): they take their room when the node appears.
  const waiting = new Map<string, Set<PlacedPod>>()
  const priorities = new Map<number, number>()
  const antiAffinity = new Map<string, AntiAffinityOwners>()
  const counts = topologyCounts(() => nodes.values())

  const addPod = (pod: PlacedPod, node: MutableNode, step: 1 | -1) => {
    const { podClass } = pod
    for (const [column, amount] of podClass.request) {
      node.requested[column] = (node.requested[column] ?? 0) + step * amount
    }
    node.scoredCpuMilli += step * podClass.scoredCpuMilli
    node.scoredMemoryBytes += step * podClass.scoredMemoryBytes
    if (step === 1) {
      node.pods.add(pod)
      if (podClass.hostPorts.length > 0) node.podsWithPorts.add(pod)
      counts.place(pod, node)
    } else {
      node.pods.delete(pod)
      node.podsWithPorts.delete(pod)
      counts.unplace(pod, node)
    }
    for (const term of podClass.antiAffinityTerms) {
      const value = node.label(term.topologyKey)
      if (value === undefined) continue
      let owners = antiAffinity.get(term.key)
      if (owners === undefined) antiAffinity.set(term.key, (owners = { term, domains: new Map() }))
      const total = (owners.domains.get(value) ?? 0) + step
      if (total > 0) owners.domains.set(value, total)
      else owners.domains.delete(value)
    }
  }
  const countPriority = ({ podClass }: PlacedPod, step: 1 | -1) => {
    const total = (priorities.get(podClass.priority) ?? 0) + step
    if (total > 0) priorities.set(podClass.priority, total)
    else priorities.delete(podClass.priority)
  }
  const unplace = (key: string): boolean => {
    const known = pods.get(key)
    if (known === undefined) return false
    pods.delete(key)
    countPriority(known.pod, -1)
    const node = nodes.get(known.nodeName)
    if (node !== undefined) addPod(known.pod, node, -1)
    else waiting.get(known.nodeName)?.delete(known.pod)
    return true
  }
  const place = (object: PodObject, nodeName: string) => {
    const key = keyOf(object)
    const podClass = classes.classOf(object)
    const isTerminating = object.metadata.deletionTimestamp !== undefined
    const known = pods.get(key)
    if (known !== undefined) {
      const { pod } = known
      const isSame =
        known.nodeName === nodeName &&
        pod.podClass === podClass &&
        pod.isTerminating === isTerminating &&
        pod.uid === object.metadata.uid
      if (isSame) return
      unplace(key)
    }
    if (isTerminal(object)) return
    const pod: PlacedPod = { key, uid: object.metadata.uid, object, podClass, isTerminating }
    pods.set(key, { pod, nodeName })
    countPriority(pod, 1)
    const node = nodes.get(nodeName)
    if (node !== undefined) return addPod(pod, node, 1)
    const others = waiting.get(nodeName)
    if (others === undefined) waiting.set(nodeName, new Set([pod]))
    else others.add(pod)
  }
  const setNode = (object: NodeObject): NodeChange => {
    const { name } = object.metadata
    const known = nodes.get(name)
    if (known === undefined) {
      const node = emptyNode(object, columnOf)
      nodes.set(name, node)
      nodeList = undefined
      counts.addNode(node)
      for (const pod of waiting.get(name) ?? []) addPod(pod, node, 1)
      waiting.delete(name)
      return 'constraints'
    }
    const before = known.object
    known.object = object
    const hasRoomChange = before.status?.allocatable !== object.status?.allocatable
    if (hasRoomChange) Object.assign(known, allocatableOf(object, columnOf))
    const isSameConstraints =
      before.metadata.uid === object.metadata.uid &&
      isEqual(before.metadata.labels, object.metadata.labels) &&
      isEqual(before.spec?.taints, object.spec?.taints) &&
      before.spec?.unschedulable === object.spec?.unschedulable
    if (isSameConstraints) {
      return hasRoomChange && !isEqual(before.status?.allocatable, object.status?.allocatable) ? 'room' : 'none'
    }
    // Topology counts hang on labels and taints: take the pods off, change the node, put them back.
    const present = [...known.pods]
    for (const pod of present) addPod(pod, known, -1)
    counts.removeNode(known)
    Object.assign(known, constraintsOf(object), { version: known.version + 1 })
    counts.addNode(known)
    for (const pod of present) addPod(pod, known, 1)
    return 'constraints'
  }
  return {
    columnOf,
    resourceOf: (column) => names[column] ?? '',
    classOf: classes.classOf,
    nodes: () => (nodeList ??= [...nodes.values()]),
    node: (name) => nodes.get(name),
    setNode,
    removeNode: (name) => {
      const node = nodes.get(name)
      if (node === undefined) return
      const present = [...node.pods]
      for (const pod of present) addPod(pod, node, -1)
      counts.removeNode(node)
      nodes.delete(name)
      nodeList = undefined
      if (present.length > 0) waiting.set(name, new Set(present))
    },
    placed: (key) => pods.get(key)?.pod,
    nodeOf: (key) => pods.get(key)?.nodeName,
    place,
    unplace,
    suspend: (pod, node) => addPod(pod, node as MutableNode, -1),
    reinstate: (pod, node) => addPod(pod, node as MutableNode, 1),
    counts,
    antiAffinity,
    lowestPriority: () => {
      let lowest: number | undefined
      for (const priority of priorities.keys()) if (lowest === undefined || priority < lowest) lowest = priority
      return lowest
    },
  }
}

const isEqual = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b)

const constraintsOf = (object: NodeObject) => ({
  labels: object.metadata.labels ?? {},
  taints: object.spec?.taints ?? [],
  isUnschedulable: object.spec?.unschedulable === true,
})

const allocatableOf = (object: NodeObject, columnOf: (resource: string) => number) => {
  const allocatable: Array<number> = []
  let allowedPods = 0
  for (const [name, text] of Object.entries(object.status?.allocatable ?? {})) {
    const amount = amountOf(name, text)
    if (name === 'pods') allowedPods = amount
    else allocatable[columnOf(name)] = amount
  }
  return { allocatable, allowedPods }
}

const emptyNode = (object: NodeObject, columnOf: (resource: string) => number): MutableNode => {
  const node: MutableNode = {
    name: object.metadata.name,
    object,
    version: 0,
    ...constraintsOf(object),
    ...allocatableOf(object, columnOf),
    requested: [],
    scoredCpuMilli: 0,
    scoredMemoryBytes: 0,
    pods: new Set(),
    podsWithPorts: new Set(),
    label: (key) => (Object.hasOwn(node.labels, key) ? node.labels[key] : undefined),
  }
  return node
}
