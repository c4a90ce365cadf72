import { Conditions, StateNodes, type NodePool, type Pod, type Snapshot, type StateNode } from '../cluster/index.ts'
import { labelKeys, Labels } from '../labels/index.ts'
import { compile, usableNodePools, type Compiled, type MotionRules } from './compile.ts'
import { Finalizer } from './finalize.ts'
import type { Offer } from './offer.ts'
import { Packer } from './packer.ts'
import type { Launch, Strategy } from './plan.ts'
import { packerSettings } from './plan-provisioning.ts'
import { eligiblePods, isProvisionable } from './pod-eligibility.ts'
import { PodQueue } from './pod-queue.ts'

export interface SimulationOptions {
  readonly strategy: Strategy
  /** Whether nodes within their NodePool's consolidateAfter are closed to pods that run elsewhere (D-SIM-05). */
  readonly keepsRestingNodes: boolean
  readonly reservedOfferings: 'strict' | 'fallback'
}

/** A node that a simulation would launch. */
export interface SimulatedLaunch {
  readonly nodePool: NodePool
  readonly offer: Offer
  /** The launch on the terms of an offer narrowed from `offer`. */
  readonly launch: (offer: Offer) => Launch
}

/** What would become of the pods if some nodes were gone. */
export interface Simulation {
  readonly launches: ReadonlyArray<SimulatedLaunch>
  /** Running pods that would have no place to count on, by namespace and name. Pending pods may stay pending (D-SIM-08). */
  readonly homeless: ReadonlyArray<HomelessPod>
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
  /** Nodes by name. */
  readonly without: (nodes: ReadonlySet<string>) => Simulation
}

/**
 * Loads a snapshot for simulations.
 *
 * Pods that wait, those of nodes under deletion and those of the nodes taken away are placed together, as a pass of
 * provisioning would place them after the fact (D-SIM-01, D-SIM-02).
 */
export const loadSimulator = (snapshot: Snapshot, options: SimulationOptions): Simulator => {
  const isUsable = usableNodePools(snapshot).length > 0
  return { isUsable, without: (nodes) => simulate(snapshot, nodes, options) }
}

const simulate = (snapshot: Snapshot, nodes: ReadonlySet<string>, options: SimulationOptions): Simulation => {
  const derived: Snapshot = {
    ...snapshot,
    nodes: snapshot.nodes.map((state) => (nodes.has(state.name) ? { ...state, isMarkedForDeletion: true } : state)),
  }
  const { pods } = drain(eligiblePods(derived))
  const leaving = podsOfDeletingNodes(snapshot)
  const compiled = drain(
    compile(derived, pods, packerSettings(snapshot, options), motionRules(snapshot, options, leaving)),
  )
  const packer = new Packer(compiled)
  const queue = new PodQueue(compiled.queue)
  const failed = new Set<number>()
  for (let pod = queue.pop(); pod !== undefined; pod = queue.pop()) {
    if (packer.attempt(pod) === 'placed') failed.delete(pod)
    else {
      failed.add(pod)
      queue.push(pod)
    }
  }
  return read(compiled, packer, failed, leaving, snapshot, options)
}

const read = (
  compiled: Compiled,
  packer: Packer,
  failed: ReadonlySet<number>,
  leaving: ReadonlySet<Pod>,
  snapshot: Snapshot,
  { strategy }: SimulationOptions,
): Simulation => {
  const { pods } = compiled
  const finalizer = new Finalizer({
    table: compiled.table,
    columns: compiled.columns,
    pods,
    labelRules: snapshot.labelRules,
    minValuesPolicy: snapshot.settings.minValuesPolicy,
    isReference: strategy === 'reference',
  })
  const homeless = new Map<Pod, HomelessPod>()
  for (const pod of failed) homeless.set(pods[pod]!, { pod: pods[pod]! })
  const launches: Array<SimulatedLaunch> = []
  for (const claim of packer.claims) {
    const { offer, unmet } = finalizer.offerOf(claim)
    if (unmet.length > 0 && snapshot.settings.minValuesPolicy === 'Strict') {
      for (const pod of claim.pods) homeless.set(pods[pod]!, { pod: pods[pod]! })
    } else {
      launches.push({
        nodePool: claim.template.nodePool,
        offer,
        launch: (narrowed) => finalizer.launch(claim, narrowed),
      })
    }
  }
  for (const node of compiled.nodes) {
    if (node.isInitialized) continue
    for (const pod of node.pods) {
      const placed = pods[pod]!
      if (!leaving.has(placed)) homeless.set(placed, { pod: placed, uninitializedNode: node.name })
    }
  }
  return { launches, homeless: [...homeless.values()].filter(({ pod }) => !isProvisionable(pod)) }
}

const podsOfDeletingNodes = ({ nodes }: Snapshot): ReadonlySet<Pod> =>
  new Set(nodes.flatMap(({ isMarkedForDeletion, pods }) => (isMarkedForDeletion ? pods : [])))

const motionRules = (
  snapshot: Snapshot,
  { keepsRestingNodes }: SimulationOptions,
  leaving: ReadonlySet<Pod>,
): MotionRules => {
  const pools = new Map(usableNodePools(snapshot).map((pool) => [pool.name, pool]))
  const poolOf = (state: StateNode) => pools.get(Labels.get(StateNodes.labelsOf(state), labelKeys.nodePool) ?? '')
  return {
    isResting: (state) => keepsRestingNodes && isResting(state, poolOf(state), snapshot.nowMs),
    isSettled: (pod) => keepsRestingNodes && pod.phase !== 'Pending' && !leaving.has(pod),
  }
}

// D-COST-07.
const isResting = ({ claim }: StateNode, nodePool: NodePool | undefined, nowMs: number): boolean => {
  const afterMs = nodePool?.disruption.consolidateAfterMs
  const initialized = Conditions.find(claim?.conditions ?? [], 'Initialized')
  if (!afterMs || claim === undefined || initialized?.status !== 'True') return false
  return nowMs - (claim.lastPodEventAtMs ?? initialized.lastTransitionAtMs) < afterMs
}

const drain = <A>(steps: Generator<void, A, void>): A => {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
