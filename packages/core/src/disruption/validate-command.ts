import * as E from 'fp-ts/lib/Either.js'
import type { Snapshot } from '../cluster/index.ts'
import { runOf, type Run, type Steps } from '../internal/index.ts'
import type { Simulation } from '../scheduling/index.ts'
import type { CandidateState } from './candidate.ts'
import { boughtAgain, recentMove } from './churn.ts'
import { keptFromConsolidation } from './consolidation/eligibility.ts'
import { emptyCommand, keptFromEmptiness } from './emptiness.ts'
import { whyHomeless } from './homeless.ts'
import { blockedNode, Pass, Spending, type PassOptions } from './pass.ts'
import type { BlockedNode, BlockedReason, DisruptionCommand } from './plan.ts'

/** Why a command must not be carried out any more. D-VALID-04. */
export interface ValidationFailure {
  /**
   * `churn`: a node is no candidate any more. `budget`: the budgets leave no room, or pods are expected on a node.
   * `scheduling`: the pods would go elsewhere than was planned.
   */
  readonly kind: 'budget' | 'scheduling' | 'churn'
  /** The command's nodes that stay, each with its reason; empty where only the replacements have become others. */
  readonly blocked: ReadonlyArray<BlockedNode>
}

/** The command as it may be carried out: for empty nodes, with those that are still empty. */
export type Validation = E.Either<ValidationFailure, DisruptionCommand>

/**
 * Whether a command still holds on a fresher snapshot, after the wait. D-VALID-02…04, D-VALID-06…08, D-EMPTY-04.
 *
 * Candidates are made anew and must all be left; the budgets must allow all of them; their pods, placed once more, must
 * need as many new nodes, and each replacement may only name types that would still do. Prices are not compared again.
 * Of empty nodes those that are still empty go. Commands for drift are not looked at: they hold as they are.
 *
 * `inFlight` must not hold the command's own nodes.
 *
 * Cost: loading the cluster and one simulation.
 * Errors: a {@link ValidationFailure}; the command must then be dropped.
 *
 * @example
 * import { managedNode, sceneOf } from '@scantling/core/testing'
 * const snapshot = sceneOf({ nodes: [managedNode('node-1')] })
 * const { commands } = planDisruption(snapshot, { strategy: 'first-fit' })
 * const later = sceneOf({ nodes: [] })
 * commands.map((command) => validateCommand(snapshot, command, { strategy: 'first-fit' })._tag) // => ['Right']
 * commands.map((command) => validateCommand(later, command, { strategy: 'first-fit' })._tag) // => ['Left']
 */
export const validateCommand = (snapshot: Snapshot, command: DisruptionCommand, options: PassOptions): Validation =>
  startValidation(snapshot, command, options).finish()

/**
 * As {@link validateCommand}, in slices; a unit of `step` is as short as one of `startDisruption`.
 *
 * @example
 * import { managedNode, sceneOf } from '@scantling/core/testing'
 * const snapshot = sceneOf({ nodes: [managedNode('node-1')] })
 * const { commands } = planDisruption(snapshot, { strategy: 'first-fit' })
 * const runs = commands.map((command) => startValidation(snapshot, command, { strategy: 'first-fit' }))
 * for (const run of runs) {
 *   while (!run.step(50)) {
 *     // answer others here
 *   }
 * }
 * runs.map((run) => run.finish()._tag) // => ['Right']
 */
export const startValidation = (
  snapshot: Snapshot,
  command: DisruptionCommand,
  options: PassOptions,
): Run<Validation> => runOf(validate(new Pass(snapshot, options), command))

function* validate(pass: Pass, command: DisruptionCommand): Steps<Validation> {
  if (command.reason === 'Drifted') return E.right(command)
  const isEmptiness = command.reason === 'Empty'
  const { kept, blocked } = yield* candidatesLeft(pass, command)
  if (isEmptiness) {
    const staying = yield* boughtAgain(kept, pass)
    const staysOn = new Set(staying.map(({ one }) => one))
    const left = emptyCommand(kept.filter((one) => !staysOn.has(one)).map(({ candidate }) => candidate))
    const all = [...blocked, ...staying.map(({ one, reason }) => blockedNode(one, reason))]
    return left === undefined ? E.left(failureOf(all)) : E.right(left)
  }
  if (blocked.length > 0) return E.left(failureOf(blocked))
  const terms = { mostPricePerHour: command.mostPricePerHour, keepsRestingNodes: true }
  const simulation = yield* pass.without(
    kept.map(({ state }) => state.name),
    terms,
  )
  const everyNode = (reason: BlockedReason) => kept.map((one) => blockedNode(one, reason))
  if (simulation === undefined) return E.left({ kind: 'scheduling', blocked: everyNode({ _tag: 'NoNodePools' }) })
  if (simulation.homeless.length > 0) {
    const reason = yield* whyHomeless(kept, simulation, pass, terms)
    return E.left({ kind: 'scheduling', blocked: everyNode(reason) })
  }
  return needsTheSame(command, simulation) ? E.right(command) : E.left({ kind: 'scheduling', blocked: [] })
}

function* candidatesLeft(
  pass: Pass,
  { reason, candidates }: DisruptionCommand,
): Steps<{ readonly kept: ReadonlyArray<CandidateState>; readonly blocked: ReadonlyArray<BlockedNode> }> {
  const sorted = yield* pass.sorted('graceful')
  const byName = new Map(sorted.candidates.map((one) => [one.state.name, one]))
  const refused = new Map(sorted.blocked.map((one) => [one.node, one]))
  const spending = new Spending(pass.allowances(reason))
  const kept: Array<CandidateState> = []
  const blocked: Array<BlockedNode> = []
  for (const { node, nodePool } of candidates) {
    const one = byName.get(node)
    if (one === undefined) {
      blocked.push(refused.get(node) ?? { node, nodePool, reason: { _tag: 'NoNode' } })
      continue
    }
    const why =
      reason === 'Empty' ? keptFromEmptiness(one, pass) : (keptFromConsolidation(one, pass) ?? recentMove(one, pass))
    const refusal = why === 'empty' ? ({ _tag: 'OthersFirst', method: 'emptiness' } as const) : why
    const found = refusal ?? spending.refusal(one.nodePool.name)
    if (found === undefined) {
      spending.spend(one.nodePool.name)
      kept.push(one)
    } else blocked.push(blockedNode(one, found))
  }
  return { kept, blocked }
}

// One node that is gone or taken for another purpose settles the matter; else it is a matter of waiting (D-EMPTY-04).
const failureOf = (blocked: ReadonlyArray<BlockedNode>): ValidationFailure => ({
  kind: blocked.every(({ reason: { _tag } }) => _tag === 'Budget' || _tag === 'Nominated') ? 'budget' : 'churn',
  blocked,
})

// D-VALID-03: by name alone, the replacements in the order in which they were planned.
const needsTheSame = ({ replacements }: DisruptionCommand, { launches }: Simulation): boolean => {
  if (launches.length !== replacements.length) return false
  return replacements.every(({ nodePool, instanceTypes = [] }, position) => {
    const launch = launches[position]
    const names = new Set(launch?.offer.names)
    return launch?.nodePool.name === nodePool && instanceTypes.every(({ name }) => names.has(name))
  })
}
