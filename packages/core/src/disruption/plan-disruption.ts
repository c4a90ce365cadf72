import type { Snapshot } from '../cluster/index.ts'
import { compareText } from '../internal/index.ts'
import type { Strategy } from '../scheduling/index.ts'
import { multiNode } from './consolidation/multi-node.ts'
import { singleNode } from './consolidation/single-node.ts'
import { drift } from './drift.ts'
import { emptiness } from './emptiness.ts'
import { Pass, type MethodOutcome } from './pass.ts'
import { disruptionMethods, type BlockedNode, type DisruptionMethod, type DisruptionPlan } from './plan.ts'
import { staticDrift } from './static-drift.ts'

export interface DisruptionOptions {
  readonly strategy: Strategy
}

const evaluate: Readonly<Record<DisruptionMethod, (pass: Pass) => MethodOutcome>> = {
  emptiness,
  'static-drift': staticDrift,
  drift,
  'multi-node-consolidation': multiNode,
  'single-node-consolidation': singleNode,
}

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
export const planDisruption = (snapshot: Snapshot, { strategy }: DisruptionOptions): DisruptionPlan => {
  const pass = new Pass(snapshot, strategy)
  const outcomes: Array<MethodOutcome> = []
  for (const method of disruptionMethods) {
    const outcome = evaluate[method](pass)
    outcomes.push(outcome)
    if (outcome.commands.length > 0) break
  }
  const last = outcomes.at(-1)
  const commands = last?.commands ?? []
  const candidates = new Set(outcomes.flatMap((outcome) => outcome.candidates.map(({ state }) => state.name)))
  return {
    ...(last === undefined || commands.length === 0 ? {} : { method: last.method }),
    commands,
    blocked: blockedNodes(pass, outcomes),
    stats: { nodes: snapshot.nodes.length, candidates: candidates.size, simulations: pass.simulations },
  }
}

/**
 * What every method would do by itself on the same snapshot, in the order in which they are tried.
 *
 * @example
 * import { snapshotFor } from '@scantling/core/testing'
 * disruptionByMethod(snapshotFor({}), { strategy: 'reference' }).map(({ method }) => method) // => disruptionMethods
 */
export const disruptionByMethod = (
  snapshot: Snapshot,
  { strategy }: DisruptionOptions,
  methods: ReadonlyArray<DisruptionMethod> = disruptionMethods,
): ReadonlyArray<MethodOutcome> => {
  const pass = new Pass(snapshot, strategy)
  return methods.map((method) => evaluate[method](pass))
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
export const planEmptiness = (snapshot: Snapshot): DisruptionPlan => {
  const pass = new Pass(snapshot, 'first-fit')
  const { commands, blocked, candidates } = emptiness(pass)
  return {
    ...(commands.length === 0 ? {} : { method: 'emptiness' as const }),
    commands,
    blocked: byName([...pass.sorted('graceful').blocked, ...blocked]),
    stats: { nodes: snapshot.nodes.length, candidates: candidates.length, simulations: pass.simulations },
  }
}

// What keeps a node from every method comes first, then what the last method that looked at it said.
const blockedNodes = (pass: Pass, outcomes: ReadonlyArray<MethodOutcome>): ReadonlyArray<BlockedNode> => {
  const taken = new Set(
    outcomes.flatMap(({ commands }) => commands.flatMap(({ candidates }) => candidates.map(({ node }) => node))),
  )
  const reasons = new Map<string, BlockedNode>()
  const { candidates, blocked } = pass.sorted('graceful')
  const last = outcomes.at(-1)
  for (const { state, nodePool } of candidates) {
    if (last === undefined || last.commands.length === 0) continue
    const reason = { _tag: 'OthersFirst', method: last.method } as const
    reasons.set(state.name, { node: state.name, nodePool: nodePool.name, reason })
  }
  for (const outcome of outcomes) {
    for (const one of outcome.blocked) {
      const isPassedOn = one.reason._tag === 'NotEmpty' && reasons.has(one.node)
      if (!isPassedOn) reasons.set(one.node, one)
    }
  }
  for (const one of blocked) reasons.set(one.node, one)
  return byName([...reasons.values()].filter(({ node }) => !taken.has(node)))
}

const byName = (nodes: ReadonlyArray<BlockedNode>): ReadonlyArray<BlockedNode> =>
  [...nodes].sort((a, b) => compareText(a.node, b.node))
