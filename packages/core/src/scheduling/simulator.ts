import { Conditions, StateNodes, type NodePool, type Pod, type Snapshot, type StateNode } from '../cluster/index.ts'
import { drain, emptyBitset, insertBit, intersectInto, invariant, type Bitset, type Steps } from '../internal/index.ts'
import { labelKeys, Labels } from '../labels/index.ts'
import type { LeavingNode } from '../topology/index.ts'
import { compile, usableNodePools, type Compiled, type MotionRules } from './compile.ts'
import type { ExistingNode } from './existing-node.ts'
import { Finalizer } from './finalize.ts'
import type { Offer } from './offer.ts'
import { hasRoom, openNodes, Packer } from './packer.ts'
import type { Launch, Placement, Strategy } from './plan.ts'
import { packerSettings } from './plan-provisioning.ts'
import type { PodClass, Stage } from './pod-class.ts'
import { eligiblePods, isProvisionable } from './pod-eligibility.ts'
import { PodQueue } from './pod-queue.ts'

export interface SimulationOptions {
  readonly strategy: Strategy
  /** Whether nodes within their NodePool's consolidateAfter are closed to pods that run elsewhere (D-SIM-05). */
  readonly keepsRestingNodes: boolean
  readonly reservedOfferings: 'strict' | 'fallback'
  /**
   * Which nodes use a NodePool's limits up. `after`: those that stay, as when all is done. `during`: those that go as
   * well, because replacements are up before they are gone. Default: `after`.
   */
  readonly limits?: 'after' | 'during'
}

/** What a simulation may launch. */
export interface SimulationTerms {
  /** The dearest type that may be launched; absent: any. Smaller nodes are filled better, at the cost of more of them. */
  readonly mostPricePerHour?: number | undefined
}

/** A node that a simulation would launch. */
export interface SimulatedLaunch {
  readonly nodePool: NodePool
  /** How many pods it is for. */
  readonly pods: number
  readonly offer: Offer
  /** The launch on the terms of `offer`, or of one narrowed from it. */
  readonly launch: (offer: Offer) => Launch
}

/** What would become of the pods if some nodes were gone. */
export interface Simulation {
  readonly launches: ReadonlyArray<SimulatedLaunch>
  /** Running pods that would have no place to count on. Pods that wait already may go on waiting (D-SIM-08). */
  readonly homeless: ReadonlyArray<HomelessPod>
  /** Pods that fit nodes that exist, those with a place on a node that has not finished starting included. */
  readonly placements: ReadonlyArray<Placement>
}

export interface HomelessPod {
  readonly pod: Pod
  /** Set: the pod fits a node that has not finished starting, which is no ground for a decision (D-SIM-07). */
  readonly uninitializedNode?: string
}

/** Asks what would happen to a cluster without some of its nodes. */
export interface Simulator {
  /** Without any usable NodePool nothing can be simulated (D-SIM-11). */
  readonly isUsable: boolean
  /** What would happen without the named nodes. None of them may be under deletion. */
  readonly without: (nodes: ReadonlyArray<string>) => Simulation
  /** As `without`, in slices. One at a time: the loaded cluster is put back at the end of each. */
  readonly simulate: (nodes: ReadonlyArray<string>, terms?: SimulationTerms) => Steps<Simulation>
}

/**
 * Loads a snapshot for simulations.
 *
 * Pods that wait, those of nodes under deletion and those of the nodes taken away are placed together, as a pass of
 * provisioning would place them after the fact (D-SIM-01, D-SIM-02). The cluster is loaded once; a simulation takes
 * nodes away, places their pods, reads the answer and puts everything back.
 *
 * Cost: loading as much as a pass of provisioning over all pods; a simulation grows with the pods that it places and
 * the nodes that have room for them, not with the cluster.
 *
 * @example
 * loadSimulator(snapshot, options).without(['node-a']).homeless.length === 0 // => whether its pods find a place
 */
export const loadSimulator = (snapshot: Snapshot, options: SimulationOptions): Simulator =>
  drain(loadSimulatorInSteps(snapshot, options))

/**
 * As {@link loadSimulator}, in slices.
 *
 * @example
 * import { snapshotFor } from '@scantling/core/testing'
 * const options = { strategy: 'first-fit', keepsRestingNodes: true, reservedOfferings: 'fallback' }
 * const steps = loadSimulatorInSteps(snapshotFor({ nodePools: [] }), options)
 * // Without a NodePool nothing can be simulated.
 * steps.next().value.isUsable // => false
 */
export function* loadSimulatorInSteps(snapshot: Snapshot, options: SimulationOptions): Steps<Simulator> {
  if (usableNodePools(snapshot).length === 0) {
    const nothing: Simulation = { launches: [], homeless: [], placements: [] }
    return { isUsable: false, without: () => nothing, simulate: () => done(nothing) }
  }
  const loaded = yield* loadCluster(snapshot, options, undefined)
  const simulate = loaded.dependsOnOrder
    ? // Which pods are placed then decides how topology counts, so that every set of nodes is loaded by itself.
      function* (nodes: ReadonlyArray<string>, terms?: SimulationTerms): Steps<Simulation> {
        const own = yield* loadCluster(snapshot, options, nodes)
        return yield* own.simulate(nodes, terms)
      }
    : (nodes: ReadonlyArray<string>, terms?: SimulationTerms) => loaded.simulate(nodes, terms)
  return { isUsable: true, simulate, without: (nodes) => drain(simulate(nodes)) }
}

function* done<A>(value: A): Steps<A> {
  yield
  return value
}

/** `removable`: the nodes that may be taken away; absent: any. */
function* loadCluster(
  snapshot: Snapshot,
  options: SimulationOptions,
  removable: ReadonlyArray<string> | undefined,
): Steps<LoadedCluster> {
  const displaced = displacedPods(snapshot)
  const { pods: moving } = yield* eligiblePods(snapshot)
  const always = new Set(moving)
  const { pods } = yield* eligiblePods(withoutNodes(snapshot, removable))
  yield
  const compiled = yield* compile(snapshot, pods, packerSettings(snapshot, options), {
    ...restRules(snapshot, options, displaced),
    isMoving: (pod) => always.has(pod),
  })
  return new LoadedCluster({ snapshot, options, displaced, always, compiled })
}

/** A node as a simulation takes it away. */
interface Removal {
  readonly node: ExistingNode
  readonly leaving: LeavingNode | undefined
  /** Indexes of the pods that must then be placed. */
  readonly pods: ReadonlyArray<number>
}

class LoadedCluster {
  readonly #snapshot: Snapshot
  readonly #options: SimulationOptions
  readonly #compiled: Compiled
  readonly #finalizer: Finalizer
  readonly #removals = new Map<string, Removal>()
  readonly #nodes: ReadonlyMap<string, ExistingNode>
  readonly #indexes: ReadonlyMap<Pod, number>
  /** Pods that are placed in every simulation, and by pod its turn. */
  readonly #moving: ReadonlyArray<number>
  readonly #turns: Int32Array
  /** Pods of nodes under deletion. */
  readonly #displaced: ReadonlySet<Pod>
  readonly #openNodes = new Map<PodClass, Map<Stage, ReadonlyArray<number>>>()
  readonly #groups: number
  /** What every node has left before any simulation. */
  readonly #atFirst: ReadonlyArray<Pick<ExistingNode, 'isOvercommitted' | 'remaining'>>

  constructor({
    snapshot,
    options,
    displaced,
    always,
    compiled,
  }: {
    readonly snapshot: Snapshot
    readonly options: SimulationOptions
    readonly displaced: ReadonlySet<Pod>
    readonly always: ReadonlySet<Pod>
    readonly compiled: Compiled
  }) {
    this.#snapshot = snapshot
    this.#options = options
    this.#displaced = displaced
    const { pods } = compiled
    this.#compiled = compiled
    this.#groups = compiled.topology.groups.length
    if (options.limits === 'during') chargeGoing(snapshot, compiled)
    this.#atFirst = compiled.nodes.map(({ isOvercommitted, remaining }) => ({
      isOvercommitted,
      remaining: remaining.slice(),
    }))
    this.#finalizer = new Finalizer({
      table: compiled.table,
      columns: compiled.columns,
      pods,
      labelRules: snapshot.labelRules,
      minValuesPolicy: snapshot.settings.minValuesPolicy,
      isReference: options.strategy === 'reference',
    })
    this.#turns = new Int32Array(pods.length)
    for (const [turn, pod] of compiled.queue.entries()) this.#turns[pod] = turn
    this.#moving = [...pods.keys()].filter((pod) => always.has(pods[pod]!))
    this.#indexes = new Map(pods.map((pod, index) => [pod, index]))
    this.#nodes = new Map(compiled.nodes.map((node) => [node.name, node]))
  }

  /** Whether what one pod is told of the topology depends on which others are placed with it (W19, W20). */
  get dependsOnOrder(): boolean {
    return this.#compiled.topology.hasSharedUnlike
  }

  *simulate(nodes: ReadonlyArray<string>, { mostPricePerHour }: SimulationTerms = {}): Steps<Simulation> {
    const { topology, templates, reservations, columns } = this.#compiled
    const removals = nodes.map((name) => this.#removalOf(name))
    const putBacks = [...templates.map(({ limits }) => limits.checkpoint()), reservations.checkpoint()]
    const relaxed = templates.map(({ hasRelaxedMinValues }) => hasRelaxedMinValues)
    topology.takeAway(removals.flatMap(({ leaving }) => leaving ?? []))
    for (const { node } of removals) {
      node.isGone = true
      if (this.#options.limits === 'during') continue
      const pool = Labels.get(StateNodes.labelsOf(node.state), labelKeys.nodePool)
      const template = templates.find(({ nodePool }) => nodePool.name === pool)
      template?.limits.releaseNode(columns.vector(StateNodes.capacityOf(node.state)))
    }
    const pods = [...this.#moving, ...removals.flatMap((removal) => removal.pods)]
    pods.sort((a, b) => this.#turns[a]! - this.#turns[b]!)
    const packer = new Packer(
      { ...this.#compiled, openNodes: this.#openNodesOf, ceilings: this.#ceilings(mostPricePerHour) },
      pods,
    )
    const failed = yield* place(packer, pods)
    const simulation = this.#read(packer, failed)
    packer.putBack()
    this.#forgetStages(pods)
    topology.putBack(this.#groups)
    for (const { node } of removals) node.isGone = false
    for (const putBack of putBacks) putBack()
    for (const [index, template] of templates.entries()) template.hasRelaxedMinValues = relaxed[index]!
    return simulation
  }

  // By template, the types that cost no more.
  #ceilings(mostPricePerHour: number | undefined): ReadonlyArray<Bitset> | undefined {
    if (mostPricePerHour === undefined) return undefined
    return this.#compiled.templates.map(({ catalog, set, variants }) => {
      const prices = catalog.prices(set)
      const within = emptyBitset(catalog.size)
      for (const [type, price] of prices.entries())
        if (price <= mostPricePerHour) insertBit(within, catalog.firstVariant(type))
      catalog.close(within)
      intersectInto(within, variants)
      return within
    })
  }

  // Made when first asked for: loading is then no longer than it must be.
  #removalOf(name: string): Removal {
    let removal = this.#removals.get(name)
    if (removal !== undefined) return removal
    const node = this.#nodes.get(name)
    invariant(node !== undefined, 'a node that is not under deletion')
    this.#removals.set(name, (removal = this.#madeRemoval(node)))
    return removal
  }

  #madeRemoval(node: ExistingNode): Removal {
    const { counted, classOf } = this.#compiled
    const placed = node.state.pods.flatMap((pod) => {
      const index = this.#indexes.get(pod)
      return index === undefined ? [] : [{ pod, index }]
    })
    const countedNode = counted.get(node.state)
    return {
      node,
      pods: placed.map(({ index }) => index),
      leaving:
        countedNode === undefined
          ? undefined
          : {
              node: countedNode,
              labelsInForce: StateNodes.labelsOf(node.state),
              // Topology does not learn that pods with unknown volumes move, so they count where they are.
              pods: placed.filter(({ index }) => !classOf[index]!.shape.volumes.isPlaceUnknown).map(({ pod }) => pod),
            },
    }
  }

  // Room only shrinks within a simulation, so the nodes that have none at first need no look in any.
  readonly #openNodesOf = (podClass: PodClass, stage: Stage): Array<number> => {
    let byStage = this.#openNodes.get(podClass)
    if (byStage === undefined) this.#openNodes.set(podClass, (byStage = new Map()))
    let open = byStage.get(stage)
    if (open === undefined) {
      const { nodes } = this.#compiled
      open = openNodes(nodes, podClass, stage).filter((index) => hasRoom(this.#atFirst[index]!, podClass))
      byStage.set(stage, open)
    }
    return [...open]
  }

  #read(packer: Packer, failed: ReadonlySet<number>): Simulation {
    const { pods, nodes } = this.#compiled
    const homeless = new Map<Pod, HomelessPod>()
    for (const pod of failed) homeless.set(pods[pod]!, { pod: pods[pod]! })
    const placements: Array<Placement> = []
    const launches: Array<SimulatedLaunch> = []
    for (const claim of packer.claims) {
      const { offer, unmet } = this.#finalizer.offerOf(claim)
      if (unmet.length > 0 && this.#snapshot.settings.minValuesPolicy === 'Strict') {
        for (const pod of claim.pods) homeless.set(pods[pod]!, { pod: pods[pod]! })
      } else {
        const { nodePool, hasRelaxedMinValues } = claim.template
        if (this.#options.strategy === 'reference') claim.hasRelaxedMinValues = hasRelaxedMinValues
        launches.push({
          nodePool,
          pods: claim.pods.length,
          offer,
          launch: (narrowed) => this.#finalizer.launch(claim, narrowed),
        })
      }
    }
    for (const node of packer.usedNodes()) {
      const [first, ...rest] = node.pods.map((pod) => pods[pod]!)
      if (first !== undefined) placements.push({ node: node.name, pods: [first, ...rest] })
      if (nodes[node.index]!.isInitialized) continue
      for (const pod of node.pods) {
        const placed = pods[pod]!
        if (!this.#displaced.has(placed)) homeless.set(placed, { pod: placed, uninitializedNode: node.name })
      }
    }
    return { launches, placements, homeless: [...homeless.values()].filter(({ pod }) => !isProvisionable(pod)) }
  }

  // Stages that made new groups counted a cluster without the nodes; the next simulation makes them anew.
  #forgetStages(pods: ReadonlyArray<number>): void {
    const { topology, classOf } = this.#compiled
    if (topology.groups.length === this.#groups) return
    const forgotten = new Set(topology.groups.slice(this.#groups))
    for (const pod of pods) {
      const { shape } = classOf[pod]!
      shape.stages.length = Math.min(shape.stages.length, shape.volumes.isPlaceUnknown ? 0 : 1)
      shape.seenGroups = Math.min(shape.seenGroups, this.#groups)
      const kept = shape.counting.filter((group) => !forgotten.has(group))
      shape.counting.splice(0, shape.counting.length, ...kept)
    }
    this.#openNodes.clear()
  }
}

// Nodes under deletion are there until their pods have gone; `compile` leaves them out of what limits leave.
const chargeGoing = ({ nodes }: Snapshot, { templates, columns }: Compiled): void => {
  for (const state of nodes) {
    if (!state.isMarkedForDeletion) continue
    const pool = Labels.get(StateNodes.labelsOf(state), labelKeys.nodePool)
    const template = templates.find(({ nodePool }) => nodePool.name === pool)
    template?.limits.chargeNode(columns.vector(StateNodes.capacityOf(state)))
  }
}

function* place(packer: Packer, pods: ReadonlyArray<number>): Steps<ReadonlySet<number>> {
  const queue = new PodQueue(pods)
  const failed = new Set<number>()
  for (let pod = queue.pop(); pod !== undefined; pod = queue.pop()) {
    if (packer.attempt(pod) === 'placed') failed.delete(pod)
    else {
      failed.add(pod)
      queue.push(pod)
    }
    yield
  }
  return failed
}

const withoutNodes = (snapshot: Snapshot, names: ReadonlyArray<string> | undefined): Snapshot => {
  const gone = names === undefined ? undefined : new Set(names)
  const isGone = ({ name, isManaged }: StateNode) => (gone === undefined ? isManaged : gone.has(name))
  return {
    ...snapshot,
    nodes: snapshot.nodes.map((state) => (isGone(state) ? { ...state, isMarkedForDeletion: true } : state)),
  }
}

const displacedPods = ({ nodes }: Snapshot): ReadonlySet<Pod> =>
  new Set(nodes.flatMap(({ isMarkedForDeletion, pods }) => (isMarkedForDeletion ? pods : [])))

const restRules = (
  snapshot: Snapshot,
  { keepsRestingNodes }: SimulationOptions,
  displaced: ReadonlySet<Pod>,
): Pick<MotionRules, 'isResting' | 'isSettled'> => {
  const pools = new Map(usableNodePools(snapshot).map((pool) => [pool.name, pool]))
  const poolOf = (state: StateNode) => pools.get(Labels.get(StateNodes.labelsOf(state), labelKeys.nodePool) ?? '')
  return {
    isResting: (state) => keepsRestingNodes && isResting(state, poolOf(state), snapshot.nowMs),
    isSettled: (pod) => keepsRestingNodes && pod.phase !== 'Pending' && !displaced.has(pod),
  }
}

// D-COST-07.
const isResting = ({ claim }: StateNode, nodePool: NodePool | undefined, nowMs: number): boolean => {
  const afterMs = nodePool?.disruption.consolidateAfterMs
  const initialized = Conditions.find(claim?.conditions ?? [], 'Initialized')
  if (!afterMs || claim === undefined || initialized?.status !== 'True') return false
  return nowMs - (claim.lastPodEventAtMs ?? initialized.lastTransitionAtMs) < afterMs
}
