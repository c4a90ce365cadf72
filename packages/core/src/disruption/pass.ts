import * as E from 'fp-ts/lib/Either.js'
import type { NodePool, Snapshot } from '../cluster/index.ts'
import { compareNumber, compareText } from '../internal/index.ts'
import { loadSimulator, type Simulator, type Strategy } from '../scheduling/index.ts'
import { allowances, type Allowance, type DisruptionReason } from './budget.ts'
import { candidateOf, readPodBudgets, type CandidateState, type DisruptionClass, type PodBudgets } from './candidate.ts'
import type { BlockedNode, BlockedReason, Candidate, DisruptionCommand, DisruptionMethod } from './plan.ts'

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
}

/** The nodes of a snapshot sorted for one class of methods. */
export interface Sorted {
  readonly candidates: ReadonlyArray<CandidateState>
  readonly blocked: ReadonlyArray<BlockedNode>
}

/** One look at a snapshot, shared by all methods; what several need is found once. */
export class Pass {
  readonly snapshot: Snapshot
  readonly strategy: Strategy
  readonly #pools: ReadonlyMap<string, NodePool>
  readonly #podBudgets: PodBudgets
  readonly #sorted = new Map<DisruptionClass, Sorted>()
  readonly #allowances = new Map<DisruptionReason, ReadonlyMap<string, Allowance>>()
  readonly #simulators = new Map<boolean, Simulator>()
  #simulations = 0

  constructor(snapshot: Snapshot, strategy: Strategy) {
    this.snapshot = snapshot
    this.strategy = strategy
    this.#pools = new Map(snapshot.nodePools.filter(({ isManaged }) => isManaged).map((pool) => [pool.name, pool]))
    this.#podBudgets = readPodBudgets(snapshot.podDisruptionBudgets)
  }

  /** Nodes that may be disrupted as far as node, NodePool and pods are concerned, by name, and why the others may not. */
  sorted(disruptionClass: DisruptionClass): Sorted {
    const known = this.#sorted.get(disruptionClass)
    if (known !== undefined) return known
    const candidates: Array<CandidateState> = []
    const blocked: Array<BlockedNode> = []
    for (const state of this.snapshot.nodes) {
      if (!state.isManaged) continue
      const made = candidateOf(state, this.snapshot, this.#pools, this.#podBudgets, disruptionClass)
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

  /** `keepsRestingNodes`: whether moved pods keep away from nodes within their consolidateAfter (D-SIM-05). */
  simulator(keepsRestingNodes: boolean): Simulator {
    const known = this.#simulators.get(keepsRestingNodes)
    if (known !== undefined) return known
    const loaded = loadSimulator(this.snapshot, {
      strategy: this.strategy,
      keepsRestingNodes,
      reservedOfferings: 'fallback',
    })
    const made: Simulator = {
      isUsable: loaded.isUsable,
      without: (nodes) => {
        this.#simulations += 1
        return loaded.without(nodes)
      },
    }
    this.#simulators.set(keepsRestingNodes, made)
    return made
  }
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
