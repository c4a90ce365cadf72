import {
  Pods,
  StateNodes,
  type NodePool,
  type Pod,
  type PodConstraints,
  type Snapshot,
  type StateNode,
} from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { compareText, isEmptyBitset, type Bitset, type Steps } from '../internal/index.ts'
import { annotationKeys, labelKeys, Labels } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import { Requirement, Requirements, type Aliases } from '../requirements/index.ts'
import {
  DomainUniverse,
  RequirementTable,
  Topology,
  type CountedNode,
  type CountedPod,
  type RequirementSet,
} from '../topology/index.ts'
import { Catalog } from './catalog.ts'
import { daemonKeys, Daemons } from './daemon-overhead.ts'
import { compareNodes, existingNode, hostnameOf, type ExistingNode } from './existing-node.ts'
import { unmetMinValues } from './min-values.ts'
import type { PackerSettings, Problem } from './packer.ts'
import {
  demandedNodeKeys,
  labelSignature,
  selectedLabelKeys,
  stageAt,
  type PodClass,
  type PodShape,
  type StageContext,
} from './pod-class.ts'
import { buffersLast, queueOrder, type PodSize } from './pod-queue.ts'
import { Reservations } from './reservations.ts'
import { ResourceColumns } from './resource-columns.ts'
import { PoolLimits, type Template } from './template.ts'
import { volumesOf } from './volume-topology.ts'

/** The version of the template hash that claims are stamped with (P-NPR-05). */
const hashVersion = 'v3'

/** NodePools that may launch for pods, in the order in which they are tried (P-PRV-06, P-SCH-01). */
export const usableNodePools = (snapshot: Snapshot): ReadonlyArray<NodePool> =>
  snapshot.nodePools
    .filter(
      ({ isManaged, isReady, isDeleting, replicas }) => isManaged && isReady && !isDeleting && replicas === undefined,
    )
    .sort((a, b) => b.weight - a.weight || compareText(b.name, a.name))

/** A compiled pass: what the packer works on, and what its answer is read back with. */
export interface Compiled extends Problem {
  readonly columns: ResourceColumns
  /** Pods by index, in the order in which they are tried. */
  readonly queue: ReadonlyArray<number>
  /** Labels that a node yet to be launched need not define. */
  readonly wellKnown: ReadonlySet<string>
  /** Nodes as topology counts them. */
  readonly counted: ReadonlyMap<StateNode, CountedNode>
  /** NodePools whose own requirements leave no type. */
  readonly barrenPools: ReadonlyArray<string>
}

/** Which nodes are closed to which pods beyond what they say themselves: the rules of simulations (D-SIM-05). */
export interface MotionRules {
  readonly isResting: (state: StateNode) => boolean
  readonly isSettled: (pod: Pod) => boolean
  /** Whether the pod is placed in any case; the others count where they run until their node is taken away. */
  readonly isMoving: (pod: Pod) => boolean
}

const freeMotion: MotionRules = { isResting: () => false, isSettled: () => false, isMoving: () => true }

/** Pods, and nodes, that are read between two pauses of the compiler. */
const podsPerStep = 500
const nodesPerStep = 100

/**
 * Turns a snapshot and the pods to place into numbers and bitsets.
 *
 * A generator, so that a caller can pause: it yields after bounded pieces of work.
 *
 * Cost: O(pods + nodes × relevant labels + distinct types × resources); strings are compared here and not later.
 */
export function* compile(
  snapshot: Snapshot,
  pods: ReadonlyArray<Pod>,
  settings: PackerSettings,
  motion: MotionRules = freeMotion,
): Generator<void, Compiled, void> {
  const aliases = snapshot.labelRules.knowledge
  const nodePools = usableNodePools(snapshot)
  const offers = nodePools.flatMap((nodePool) => {
    const instanceTypes = snapshot.instanceTypes.get(nodePool.name) ?? []
    return instanceTypes.length === 0 ? [] : [{ nodePool, instanceTypes }]
  })
  const stayingNodes = snapshot.nodes.filter(({ isMarkedForDeletion }) => !isMarkedForDeletion).sort(compareNodes)
  const table = new RequirementTable(snapshot.labelRules.knowledge.wellKnown)
  const constraints = new Set(pods.map((pod) => pod.constraints))
  yield
  const antiAffine = new Set<PodConstraints>()
  for (const { pods: bound } of snapshot.nodes) {
    for (const pod of bound) if (pod.constraints.podAntiAffinity.required.length > 0) antiAffine.add(pod.constraints)
  }
  yield

  const columns = yield* observeResources(snapshot, offers, pods)
  yield

  // Pods in classes.
  const labelKeysThatMatter = [...selectedLabelKeys([...constraints, ...antiAffine])].sort(compareText)
  const shapes = new Map<string, PodShape>()
  const classes: Array<PodClass> = []
  const byKey = new Map<string, PodClass>()
  const constraintIds = new Interner<PodConstraints>()
  const requestIds = new Interner<ResourceList>()
  const classOf: Array<PodClass> = []
  for (const [position, pod] of pods.entries()) {
    if (position % podsPerStep === podsPerStep - 1) yield
    const labels = labelSignature(pod.labels, labelKeysThatMatter)
    const shapeKey = `${constraintIds.id(pod.constraints)}|${pod.namespace}|${labels}`
    const isSettled = motion.isSettled(pod)
    const classKey = `${isSettled ? 's' : ''}${requestIds.id(pod.requests)}|${shapeKey}`
    let podClass = byKey.get(classKey)
    if (podClass === undefined) {
      let shape = shapes.get(shapeKey)
      if (shape === undefined)
        shapes.set(shapeKey, (shape = makeShape(pod, snapshot, table, settings.mostVolumePlaces)))
      const requests = columns.vector(pod.requests)
      const needed = [...requests.keys()].filter((index) => requests[index]! > 0)
      podClass = { index: classes.length, shape, pod, requests, needed, isSettled }
      classes.push(podClass)
      byKey.set(classKey, podClass)
    }
    classOf.push(podClass)
  }
  const sizes = sizesOf(classes, columns)
  const inTurn = yield* queueOrder(pods, (pod) => sizes[classOf[pod]!.index]!)
  const queue = settings.placesBuffersLast ? buffersLast(inTurn, pods) : inTurn
  yield

  // Topology.
  const nodeKeys = new Set([
    ...demandedNodeKeys(constraints),
    ...demandedNodeKeys(antiAffine),
    ...daemonKeys(snapshot.daemonSets),
    ...[...shapes.values()].flatMap(({ alternatives }) => alternatives.flatMap(({ set }) => [...set.byKey.keys()])),
  ])
  const projected = projection(nodeKeys, table, aliases)
  const counted = yield* countedNodes(snapshot.nodes, projected)
  yield
  const isTracked = (index: number) => !classOf[index]!.shape.volumes.isPlaceUnknown
  const moving = new Set(pods.filter((pod, index) => isTracked(index) && motion.isMoving(pod)).map(({ uid }) => uid))
  yield
  const topology = new Topology({
    table,
    universe: new DomainUniverse(offers, aliases),
    aliases,
    namespaces: snapshot.namespaces,
    preferencePolicy: snapshot.settings.preferencePolicy,
    readsAsScheduler: settings.readsAsScheduler,
    nodes: stayingNodes.flatMap((state) => {
      const node = counted.get(state)
      return node === undefined ? [] : [{ node, labelsInForce: StateNodes.labelsOf(state) }]
    }),
    pods: countedPods(snapshot.nodes, counted, moving),
  })
  yield
  const stages: StageContext = {
    table,
    topology,
    aliases,
    preferencePolicy: snapshot.settings.preferencePolicy,
    refusesContradictions: settings.refusesContradictions,
    revisitsAlternatives: settings.revisitsAlternatives,
    hasPreferNoSchedule: nodePools.some(({ taints }) => taints.some(({ effect }) => effect === 'PreferNoSchedule')),
  }
  const inOrder = new Set(queue.map((pod) => classOf[pod]!.shape))
  for (const shape of inOrder) {
    if (shape.volumes.isPlaceUnknown) continue
    ;(shape as { inverseOwned: PodShape['inverseOwned'] }).inverseOwned = topology.addInverse(shape)
  }
  for (const shape of inOrder) {
    shape.inverseSelecting = topology.inverse.filter((group) => group.selects(shape.namespace, shape.labels))
  }
  for (const shape of inOrder) {
    if (!shape.volumes.isPlaceUnknown) stageAt(shape, 0, stages)
    yield
  }

  // Supply: NodePools, then nodes, in the order in which daemons are asked (W24).
  const reservationKey = snapshot.labelRules.reservation?.id
  const catalogs = new CatalogShelf((types) => new Catalog(types, columns, table, reservationKey))
  const daemons = new Daemons(snapshot.daemonSets, columns, table, aliases)
  const templates: Array<Template> = []
  const barrenPools: Array<string> = []
  for (const nodePool of nodePools) {
    const types = snapshot.instanceTypes.get(nodePool.name) ?? []
    const template =
      types.length === 0
        ? undefined
        : makeTemplate(nodePool, catalogs.get(types), templates.length, { snapshot, columns, table, aliases, daemons })
    if (template === undefined) barrenPools.push(nodePool.name)
    else templates.push(template)
    yield
  }
  const hostnames = topology.space(labelKeys.hostname)
  const nodes: Array<ExistingNode> = []
  for (const state of stayingNodes) {
    const set = projected(StateNodes.labelsOf(state))
    const identity = {
      index: nodes.length,
      host: hostnames.index(hostnameOf(state)),
      set,
      isResting: motion.isResting(state),
    }
    nodes.push(existingNode(state, identity, { snapshot, columns, daemons, aliases }))
    const pool = Labels.get(StateNodes.labelsOf(state), labelKeys.nodePool)
    const template = templates.find(({ nodePool }) => nodePool.name === pool)
    template?.limits.chargeNode(columns.vector(StateNodes.capacityOf(state)))
    if (nodes.length % nodesPerStep === 0) yield
  }
  return {
    table,
    topology,
    pods,
    classOf,
    classes,
    nodes,
    templates,
    reservations: new Reservations(
      offers.flatMap(({ instanceTypes }) => instanceTypes),
      reservationKey,
    ),
    stages,
    settings,
    columns,
    queue,
    wellKnown: snapshot.labelRules.knowledge.wellKnown,
    counted,
    barrenPools,
  }
}

function* observeResources(
  snapshot: Snapshot,
  offers: ReadonlyArray<{ readonly nodePool: NodePool; readonly instanceTypes: ReadonlyArray<InstanceType> }>,
  pods: ReadonlyArray<Pod>,
): Steps<ResourceColumns> {
  const columns = new ResourceColumns()
  const seen = new Set<ResourceList>()
  const observe = (list: ResourceList | undefined) => {
    if (list === undefined || seen.has(list)) return
    seen.add(list)
    columns.observe(list)
  }
  for (const pod of pods) observe(pod.requests)
  const seenTypes = new Set<InstanceType>()
  for (const { nodePool, instanceTypes } of offers) {
    observe(nodePool.limits)
    for (const type of instanceTypes) {
      if (seenTypes.has(type)) continue
      seenTypes.add(type)
      observe(type.capacity)
      observe(type.overhead.kubeReserved)
      observe(type.overhead.systemReserved)
      observe(type.overhead.evictionThreshold)
      for (const { capacity, overhead } of type.offerings) {
        observe(capacity)
        observe(overhead)
      }
    }
  }
  for (const { pod } of snapshot.daemonSets) observe(pod.requests)
  for (const [position, state] of snapshot.nodes.entries()) {
    if (position % nodesPerStep === nodesPerStep - 1) yield
    observe(state.claim?.capacity)
    observe(state.claim?.allocatable)
    observe(state.node?.capacity)
    observe(state.node?.allocatable)
    for (const pod of state.pods) observe(pod.requests)
  }
  return columns
}

const makeShape = (pod: Pod, snapshot: Snapshot, table: RequirementTable, mostPlaces: number): PodShape => {
  const volumes = volumesOf(pod, snapshot.volumes, snapshot.labelRules.knowledge, mostPlaces)
  return {
    namespace: pod.namespace,
    labels: pod.labels,
    constraints: pod.constraints,
    volumes,
    alternatives:
      volumes.alternatives.length === 0
        ? [table.anything]
        : volumes.alternatives.map((alternative) => table.demand(alternative)),
    stages: [],
    inverseOwned: [],
    inverseSelecting: [],
    counting: [],
    seenGroups: 0,
  }
}

const sizesOf = (classes: ReadonlyArray<PodClass>, columns: ResourceColumns): ReadonlyArray<PodSize> => {
  const cpu = columns.index('cpu')
  const memory = columns.index('memory')
  const amount = (requests: Float64Array, resource: number | undefined) =>
    resource === undefined ? 0 : (requests[resource] ?? 0)
  return classes.map(({ requests }) => ({ cpu: amount(requests, cpu), memory: amount(requests, memory) }))
}

// Labels that nothing asks for would only make equal nodes look different. Nodes share their labels with their claims.
const projection = (
  keys: ReadonlySet<string>,
  table: RequirementTable,
  aliases: Aliases,
): ((labels: Labels) => RequirementSet) => {
  const present = (key: string) => aliases.aliases.get(key) ?? key
  const wanted = new Set([...keys, ...[...keys].map(present)])
  const known = new WeakMap<Labels, RequirementSet>()
  return (labels) => {
    let set = known.get(labels)
    if (set === undefined) {
      const asked = Object.entries(labels).filter(([key]) => wanted.has(present(key)))
      known.set(labels, (set = table.supply(Requirements.fromLabels(Object.fromEntries(asked), aliases))))
    }
    return set
  }
}

function* countedNodes(
  states: ReadonlyArray<StateNode>,
  projected: (labels: Labels) => RequirementSet,
): Steps<ReadonlyMap<StateNode, CountedNode>> {
  const counted = new Map<StateNode, CountedNode>()
  for (const [position, state] of states.entries()) {
    if (position % nodesPerStep === nodesPerStep - 1) yield
    if (state.node === undefined) continue
    const { name, labels, taints } = state.node
    counted.set(state, { name, labels, taints, set: projected(labels) })
  }
  return counted
}

// P-TOP-05: pods that are being placed do not count where they are now.
const countedPods = (
  states: ReadonlyArray<StateNode>,
  counted: ReadonlyMap<StateNode, CountedNode>,
  moving: ReadonlySet<string>,
): ReadonlyArray<CountedPod> =>
  states.flatMap((state) => {
    const node = counted.get(state)
    return node === undefined
      ? []
      : state.pods.filter((pod) => !Pods.isTerminal(pod) && !moving.has(pod.uid)).map((pod) => ({ pod, node }))
  })

const makeTemplate = (
  nodePool: NodePool,
  catalog: Catalog,
  index: number,
  context: {
    readonly snapshot: Snapshot
    readonly columns: ResourceColumns
    readonly table: RequirementTable
    readonly aliases: Aliases
    readonly daemons: Daemons
  },
): Template | undefined => {
  const { snapshot, columns, table, aliases, daemons } = context
  const { nodeClass } = nodePool
  const labels: Labels = {
    ...nodePool.labels,
    [labelKeys.nodePool]: nodePool.name,
    [Labels.nodeClassLabelKey(nodeClass)]: nodeClass.name,
  }
  const set = table.supply(
    Requirements.of([
      ...Requirements.fromSpecs(nodePool.requirements, aliases).byKey.values(),
      ...Requirements.fromLabels(labels, aliases).byKey.values(),
      Requirement.isIn(labelKeys.registered, ['true']),
      Requirement.isIn(labelKeys.initialized, ['true']),
    ]),
  )
  const variants = catalog.candidates(set).slice()
  catalog.keepFitting(variants, new Float64Array(columns.count), undefined)
  catalog.close(variants)
  const isStrict = snapshot.settings.minValuesPolicy === 'Strict'
  if (isEmptyBitset(variants) || (isStrict && unmetMinValues(catalog, variants, set).length > 0)) return undefined
  const groups = daemons.groupsFor({ set, taints: nodePool.taints }, catalog, variants)
  return {
    index,
    nodePool,
    catalog,
    set,
    variants,
    groups,
    usable: usableAmounts(catalog, groups),
    labels,
    annotations: {
      ...nodePool.annotations,
      [annotationKeys.nodePoolHash]: nodePool.hash,
      [annotationKeys.nodePoolHashVersion]: hashVersion,
    },
    limits: new PoolLimits(nodePool, columns),
    hasRelaxedMinValues: false,
  }
}

const usableAmounts = (catalog: Catalog, groups: Template['groups']): ReadonlyArray<Float64Array> =>
  catalog.allocatable.map((amounts, resource) => {
    const usable = amounts.slice()
    for (const { variants, overhead, hasDaemons } of groups) {
      if (hasDaemons) subtractWithin(usable, variants, overhead[resource] ?? 0)
    }
    return usable
  })

const subtractWithin = (amounts: Float64Array, members: Bitset, amount: number): void => {
  for (let member = 0; member < amounts.length; member += 1) {
    if ((members[member >>> 5]! & (1 << (member & 31))) !== 0) amounts[member]! -= amount
  }
}

/** Catalogs by the list they are made of, so that NodePools with the same types share one. */
class CatalogShelf {
  readonly #make: (types: ReadonlyArray<InstanceType>) => Catalog
  readonly #catalogs: Array<Catalog> = []

  constructor(make: (types: ReadonlyArray<InstanceType>) => Catalog) {
    this.#make = make
  }

  get(types: ReadonlyArray<InstanceType>): Catalog {
    const known = this.#catalogs.find(
      (catalog) =>
        catalog.types === types ||
        (catalog.types.length === types.length && catalog.types.every((type, index) => type === types[index])),
    )
    if (known !== undefined) return known
    const made = this.#make(types)
    this.#catalogs.push(made)
    return made
  }
}

/** Numbers for objects: one for the same object and for objects of the same content. */
class Interner<A extends object> {
  readonly #byIdentity = new Map<A, number>()
  readonly #byContent = new Map<string, number>()

  id(value: A): number {
    const known = this.#byIdentity.get(value)
    if (known !== undefined) return known
    const content = JSON.stringify(value)
    const id = this.#byContent.get(content) ?? this.#byContent.size
    this.#byContent.set(content, id)
    this.#byIdentity.set(value, id)
    return id
  }
}
