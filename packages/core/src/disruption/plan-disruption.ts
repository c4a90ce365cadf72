import type { Snapshot } from '../cluster/index.ts'
import { compareText, drain, runOf, type Run, type Steps } from '../internal/index.ts'
import { multiNode } from './consolidation/multi-node.ts'
import { singleNode } from './consolidation/single-node.ts'
import { drift } from './drift.ts'
import { emptiness } from './emptiness.ts'
import { Pass, type MethodOutcome, type PassOptions, type Sorted } from './pass.ts'
import { type BlockedNode, type DisruptionMethod, type DisruptionPlan } from './plan.ts'
import { staticDrift } from './static-drift.ts'

/** What to plan by, and what is known beside the snapshot. */
export type DisruptionOptions = PassOptions

const evaluate: Readonly<Record<DisruptionMethod, (pass: Pass) => Steps<MethodOutcome>>> = {
  emptiness,
  'static-drift': staticDrift,
  drift,
  'multi-node-consolidation': multiNode,
  'single-node-consolidation': singleNode,
}

/**
 * A pass that can be paused: nothing is shared with the outside until `finish`.
 *
 * A unit of `step` is a pod that is placed in a simulation, or a comparable piece of loading the cluster.
 */
export type DisruptionRun = Run<DisruptionPlan>

/**
 * Which nodes to take away, what to put in their place first, and why every other node stays. D-LOOP-02.
 *
 * Methods are tried in order; the first that finds something ends the pass.
 *
 * Cost: see the README beside this file.
 * Errors: none; a node that cannot go is `blocked` with its reason.
 *
 * @example
 * import { snapshotFor, stateNode } from '@scantling/core/testing'
 * const snapshot = snapshotFor({ nodes: [stateNode('node-1', { cpu: '4' })] })
 * // A node that no NodeClaim stands behind is nobody's to take away.
 * planDisruption(snapshot, { strategy: 'reference' }).commands // => []
 */
export const planDisruption = (snapshot: Snapshot, options: DisruptionOptions): DisruptionPlan =>
  startDisruption(snapshot, options).finish()

/**
 * As {@link planDisruption}, in slices: a caller that must answer others in between steps through the pass.
 *
 * Cost: a unit takes microseconds but for some hundred of loading, which grow with the cluster: 10 to 25 ms in one of
 * 2,000 nodes and 16,000 pods.
 *
 * @example
 * import { snapshotFor } from '@scantling/core/testing'
 * const run = startDisruption(snapshotFor({}), { strategy: 'first-fit' })
 * while (!run.step(50)) {
 *   // answer others here
 * }
 * run.finish().commands // => []
 */
export const startDisruption = (snapshot: Snapshot, options: DisruptionOptions): DisruptionRun =>
  runOf(plan(new Pass(snapshot, options)))

function* plan(pass: Pass): Steps<DisruptionPlan> {
  const { methods, snapshot } = pass
  const outcomes: Array<MethodOutcome> = []
  for (const method of methods) {
    const outcome = yield* evaluate[method](pass)
    outcomes.push(outcome)
    if (outcome.commands.length > 0) break
  }
  const last = outcomes.at(-1)
  const commands = last?.commands ?? []
  const candidates = new Set(outcomes.flatMap((outcome) => outcome.candidates.map(({ state }) => state.name)))
  const taken = new Set(commands.flatMap((command) => command.candidates.map(({ node }) => node)))
  const blocked = blockedNodes(yield* pass.sorted('graceful'), outcomes, methods.at(-1))
  const { simulations } = pass
  const search = outcomes.find((outcome) => outcome.search !== undefined)?.search
  return {
    ...(last === undefined || commands.length === 0 ? {} : { method: last.method }),
    commands,
    blocked,
    // What one method leaves may be what a later one replaces.
    forgone: outcomes
      .flatMap(({ forgone = [] }) => forgone)
      .filter(({ nodes, rule }) => rule === 'ReplacementWouldGo' || !nodes.some((node) => taken.has(node))),
    stats: {
      nodes: snapshot.nodes.length,
      candidates: candidates.size,
      eligible: outcomes.map(({ method, candidates: { length } }) => ({ method, nodes: length })),
      simulations,
      ...(search === undefined ? {} : { search }),
    },
  }
}

/**
 * What every method would do by itself on the same snapshot, in the order in which they are tried.
 *
 * @example
 * import { snapshotFor } from '@scantling/core/testing'
 * disruptionByMethod(snapshotFor({}), { strategy: 'reference' }).map(({ method }) => method) // => disruptionMethods
 */
export const disruptionByMethod = (snapshot: Snapshot, options: DisruptionOptions): ReadonlyArray<MethodOutcome> => {
  const pass = new Pass(snapshot, options)
  return pass.methods.map((method) => drain(evaluate[method](pass)))
}

/**
 * Which empty nodes to take away, and why every other node stays. D-EMPTY-01…03, D-EMPTY-08.
 *
 * A node is empty when no pod on it would have to be moved; those of DaemonSets do not count. One command takes as
 * many as the budgets of their NodePools allow, the dearest for the least disruption first. A pool's budget is spent
 * within the pass: two commands of one plan never overdraw it.
 *
 * Cost: O(nodes × pods of each).
 *
 * @example
 * import { snapshotFor, stateNode } from '@scantling/core/testing'
 * // A node that no NodeClaim stands behind is nobody's to take away.
 * planEmptiness(snapshotFor({ nodes: [stateNode('node-1', { cpu: '4' })] })).commands // => []
 */
export const planEmptiness = (snapshot: Snapshot): DisruptionPlan =>
  planDisruption(snapshot, { strategy: 'first-fit', methods: ['emptiness'] })

// What keeps a node from every method comes first, then what the last method that looked at it said.
const blockedNodes = (
  { candidates, blocked }: Sorted,
  outcomes: ReadonlyArray<MethodOutcome>,
  lastMethod: DisruptionMethod | undefined,
): ReadonlyArray<BlockedNode> => {
  const taken = new Set(
    outcomes.flatMap(({ commands }) => commands.flatMap(({ candidates }) => candidates.map(({ node }) => node))),
  )
  const reasons = new Map<string, BlockedNode>()
  const last = outcomes.at(-1)
  for (const { state, nodePool } of candidates) {
    if (last === undefined || last.commands.length === 0) continue
    const reason = { _tag: 'OthersFirst', method: last.method } as const
    reasons.set(state.name, { node: state.name, nodePool: nodePool.name, reason })
  }
  for (const outcome of outcomes) {
    for (const one of outcome.blocked) {
      // The method that looks at nodes with pods has its turn yet.
      const isPassedOn = one.reason._tag === 'NotEmpty' && last?.method !== lastMethod && reasons.has(one.node)
      if (!isPassedOn) reasons.set(one.node, one)
    }
  }
  for (const one of blocked) reasons.set(one.node, one)
  return byName([...reasons.values()].filter(({ node }) => !taken.has(node)))
}

const byName = (nodes: ReadonlyArray<BlockedNode>): ReadonlyArray<BlockedNode> =>
  [...nodes].sort((a, b) => compareText(a.node, b.node))
