import * as E from 'fp-ts/lib/Either.js'
import type { NodePool, Snapshot } from '../cluster/index.ts'
import { compareNumber, compareText, type Steps } from '../internal/index.ts'
import {
  loadSimulatorInSteps,
  type Simulation,
  type SimulationTerms,
  type Simulator,
  type Strategy,
} from '../scheduling/index.ts'
import { allowances, type Allowance, type DisruptionReason } from './budget.ts'
import { candidateOf, readPodBudgets, type CandidateState, type DisruptionClass, type PodBudgets } from './candidate.ts'
import {
  disruptionMethods,
  type BlockedNode,
  type BlockedReason,
  type Candidate,
  type DisruptionCommand,
  type DisruptionMethod,
  type ForgoneSaving,
  type SearchProgress,
} from './plan.ts'

/** What a method made of the snapshot, by itself and before anything is carried out. */
export interface MethodOutcome {
  readonly method: DisruptionMethod
  readonly reason: DisruptionReason
  /** Nodes that pass the method's own filter, by name. */
  readonly candidates: ReadonlyArray<CandidateState>
  /** What the budgets of each NodePool leave for the reason, before the method spends any. */
  readonly allowances: ReadonlyMap<string, Allowance>
  readonly commands: ReadonlyArray<DisruptionCommand>
  /** The nodes that the method refuses, each with its reason; those that are no business of its are left out. */
  readonly blocked: ReadonlyArray<BlockedNode>
  readonly forgone?: ReadonlyArray<ForgoneSaving>
  /** How far the search for several nodes got, where there was one. */
  readonly search?: SearchProgress
}

/** The nodes of a snapshot sorted for one class of methods. */
export interface Sorted {
  readonly candidates: ReadonlyArray<CandidateState>
  readonly blocked: ReadonlyArray<BlockedNode>
}

/** What is known beside the snapshot; absent: nothing. */
export interface PassOptions {
  readonly strategy: Strategy
  /** The methods to try, in the order of `disruptionMethods`; absent: all. */
  readonly methods?: ReadonlyArray<DisruptionMethod> | undefined
  /** Whether nodes and pods may be moved that would have to be moved again at once; `reference` always allows it. */
  readonly churn?: 'avoid' | 'allow' | undefined
  /** Owner of pods (its UID) → when some of them were last moved by disruption, in milliseconds since the epoch. */
  readonly movedWorkloads?: ReadonlyMap<string, number> | undefined
  /** How long pods that were moved are left alone. */
  readonly moveAgainAfterMs?: number | undefined
  /** Nodes of commands that are being carried out (D-CAND-02): no candidates, and used up as far as budgets go. */
  readonly inFlight?: ReadonlySet<string> | undefined
}

/** How long pods that were moved are left alone, where options do not say. */
export const defaultMoveAgainAfterMs = 10 * 60_000

// Between two pauses.
const nodesPerStep = 50

/** One look at a snapshot, shared by all methods; what several need is found once. */
export class Pass {
  readonly snapshot: Snapshot
  readonly strategy: Strategy
  readonly methods: ReadonlyArray<DisruptionMethod>
  readonly avoidsChurn: boolean
  readonly movedWorkloads: ReadonlyMap<string, number>
  readonly moveAgainAfterMs: number
  readonly #inFlight: ReadonlySet<string>
  readonly #pools: ReadonlyMap<string, NodePool>
  readonly #podBudgets: PodBudgets
  readonly #sorted = new Map<DisruptionClass, Sorted>()
  readonly #allowances = new Map<DisruptionReason, ReadonlyMap<string, Allowance>>()
  readonly #simulators = new Map<string, Simulator>()
  #simulations = 0
  #podsPlaced = 0

  constructor(snapshot: Snapshot, options: PassOptions) {
    const { strategy, churn = 'avoid', movedWorkloads, moveAgainAfterMs, inFlight = new Set() } = options
    this.strategy = strategy
    this.methods = disruptionMethods.filter((method) => options.methods?.includes(method) ?? true)
    this.avoidsChurn = strategy !== 'reference' && churn === 'avoid'
    this.movedWorkloads = movedWorkloads ?? new Map()
    this.moveAgainAfterMs = moveAgainAfterMs ?? defaultMoveAgainAfterMs
    this.#inFlight = inFlight
    this.snapshot = withGoing(snapshot, inFlight)
    this.#pools = new Map(snapshot.nodePools.filter(({ isManaged }) => isManaged).map((pool) => [pool.name, pool]))
    this.#podBudgets = readPodBudgets(snapshot.podDisruptionBudgets)
  }

  /** Nodes that may be disrupted as far as node, NodePool and pods are concerned, by name, and why the others may not. */
  *sorted(disruptionClass: DisruptionClass): Steps<Sorted> {
    const known = this.#sorted.get(disruptionClass)
    if (known !== undefined) return known
    const candidates: Array<CandidateState> = []
    const blocked: Array<BlockedNode> = []
    for (const [position, state] of this.snapshot.nodes.entries()) {
      if (position % nodesPerStep === nodesPerStep - 1) yield
      if (!state.isManaged) continue
      const made = this.#inFlight.has(state.name)
        ? E.left<BlockedReason, CandidateState>({ _tag: 'InFlight' })
        : candidateOf(state, this.snapshot, this.#pools, this.#podBudgets, disruptionClass)
      if (E.isRight(made)) candidates.push(made.right)
      else {
        const nodePool =
          made.left._tag === 'NodePoolNotFound' ? made.left.nodePool : state.claim?.labels['karpenter.sh/nodepool']
        blocked.push({ node: state.name, nodePool, reason: made.left })
      }
    }
    candidates.sort((a, b) => compareText(a.state.name, b.state.name))
    const sorted: Sorted = { candidates, blocked }
    this.#sorted.set(disruptionClass, sorted)
    return sorted
  }

  allowances(reason: DisruptionReason): ReadonlyMap<string, Allowance> {
    const known = this.#allowances.get(reason)
    if (known !== undefined) return known
    const { nodes, nowMs } = this.snapshot
    const made = allowances([...this.#pools.values()], nodes, reason, nowMs)
    this.#allowances.set(reason, made)
    return made
  }

  /** Sets of nodes that were tried without; what the pass costs. */
  get simulations(): number {
    return this.#simulations
  }

  /** Pods that simulations placed or tried to. */
  get podsPlaced(): number {
    return this.#podsPlaced
  }

  /**
   * What would happen without some nodes; absent: nothing can be simulated (D-SIM-11).
   *
   * Under `first-fit` limits are kept while replacements are up, unless `limits` says otherwise.
   */
  *without(
    nodes: ReadonlyArray<string>,
    {
      keepsRestingNodes,
      limits = this.strategy === 'reference' ? 'after' : 'during',
      ...terms
    }: SimulationTerms & {
      /** Whether moved pods keep away from nodes within their consolidateAfter (D-SIM-05). */
      readonly keepsRestingNodes: boolean
      readonly limits?: 'after' | 'during'
    },
  ): Steps<Simulation | undefined> {
    const key = `${keepsRestingNodes} ${limits}`
    let simulator = this.#simulators.get(key)
    if (simulator === undefined) {
      simulator = yield* loadSimulatorInSteps(this.snapshot, {
        strategy: this.strategy,
        keepsRestingNodes,
        limits,
        reservedOfferings: 'fallback',
      })
      this.#simulators.set(key, simulator)
    }
    if (!simulator.isUsable) return undefined
    this.#simulations += 1
    const simulation = yield* simulator.simulate(nodes, terms)
    this.#podsPlaced += podsOf(simulation)
    return simulation
  }
}

const podsOf = ({ launches, placements, homeless }: Simulation): number =>
  launches.reduce((sum, { pods }) => sum + pods, homeless.length) +
  placements.reduce((sum, { pods }) => sum + pods.length, 0)

// What a command takes away is going, whether or not the snapshot says so yet.
const withGoing = (snapshot: Snapshot, inFlight: ReadonlySet<string>): Snapshot =>
  inFlight.size === 0
    ? snapshot
    : {
        ...snapshot,
        nodes: snapshot.nodes.map((state) =>
          inFlight.has(state.name) && !state.isMarkedForDeletion ? { ...state, isMarkedForDeletion: true } : state,
        ),
      }

/** What the budgets leave, spent candidate by candidate (D-BUDG-12). */
export class Spending {
  readonly #left = new Map<string, Allowance>()

  constructor(allowed: ReadonlyMap<string, Allowance>) {
    for (const [nodePool, allowance] of allowed) this.#left.set(nodePool, allowance)
  }

  /** Why one more node of the pool cannot go, or `undefined`. */
  refusal(nodePool: string): BlockedReason | undefined {
    const allowance = this.#left.get(nodePool)
    if (allowance !== undefined && allowance.left >= 1) return undefined
    const { allowed = 0, consumed = 0 } = allowance ?? {}
    return { _tag: 'Budget', nodePool, allowed, consumed }
  }

  spend(nodePool: string): void {
    const allowance = this.#left.get(nodePool)
    if (allowance !== undefined) {
      this.#left.set(nodePool, { ...allowance, consumed: allowance.consumed + 1, left: allowance.left - 1 })
    }
  }
}

/** What is saved for each unit of disruption (D-COST-05). */
export const savingsRatio = ({ pricePerHour, rescheduleCost }: Candidate): number => pricePerHour / rescheduleCost

/** The dearest for the least disruption first; among equals by name (D-COST-05). */
export const mostRewardingFirst = (a: CandidateState, b: CandidateState): number =>
  compareNumber(savingsRatio(b.candidate), savingsRatio(a.candidate)) || compareText(a.state.name, b.state.name)

/** A node that stays, with its reason. */
export const blockedNode = ({ state, nodePool }: CandidateState, reason: BlockedReason): BlockedNode => ({
  node: state.name,
  nodePool: nodePool.name,
  reason,
})
