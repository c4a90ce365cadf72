import * as E from 'fp-ts/lib/Either.js'
import { Conditions, StateNodes, type Budget, type NodePool, type StateNode } from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Time } from '../time/index.ts'

export type DisruptionReason = NonNullable<Budget['reasons']>[number]

/** How much of a NodePool may be disrupted for one reason. */
export interface Allowance {
  /** What the budgets allow; `Infinity` where none binds. */
  readonly allowed: number
  /** Counted nodes that are going, or not Ready, and so use the budget up already (D-BUDG-08). */
  readonly consumed: number
  readonly left: number
}

/**
 * Whether a budget binds now: always without a schedule, else while its window is open. D-BUDG-05.
 *
 * A window that opened exactly `durationMs` ago is closed.
 * Errors: a schedule that cannot be read, as text.
 *
 * @example
 * const nights = { nodes: '0', schedule: '0 22 * * *', durationMs: 8 * 3_600_000 }
 * isBudgetActive(nights, Date.UTC(2026, 0, 1, 23)) // => right(true)
 * isBudgetActive(nights, Date.UTC(2026, 0, 1, 12)) // => right(false)
 */
export const isBudgetActive = (budget: Budget, nowMs: number): E.Either<string, boolean> => {
  const { schedule, durationMs } = budget
  if (schedule === undefined || durationMs === undefined) return E.right(true)
  return E.map((cron: Parameters<typeof Time.nextAfter>[0]) => {
    const opensMs = Time.nextAfter(cron, nowMs - durationMs)
    return opensMs !== undefined && opensMs <= nowMs
  })(Time.parseCron(schedule))
}

const countForm = /^[0-9]+$/
const percentForm = /^(100|[0-9]{1,2})%$/

const allowedBy = (budget: Budget, nowMs: number, nodes: number): number => {
  const active = isBudgetActive(budget, nowMs)
  // A budget that cannot be read allows nothing: better to keep a machine than to lose the wrong one (D-BUDG-06).
  if (E.isLeft(active)) return 0
  if (!active.right) return Infinity
  if (countForm.test(budget.nodes)) return Number(budget.nodes)
  if (percentForm.test(budget.nodes)) return Math.ceil((Number(budget.nodes.slice(0, -1)) / 100) * nodes)
  return 0
}

/**
 * What a pool's budgets allow for a reason when it has this many nodes; `Infinity` where none binds. D-BUDG-01…03.
 *
 * @example
 * allowedDisruptions([{ nodes: '10%' }, { nodes: '5' }], 'Empty', { nowMs: 0, nodes: 21 }) // => 3
 */
export const allowedDisruptions = (
  budgets: ReadonlyArray<Budget>,
  reason: DisruptionReason,
  { nowMs, nodes }: { readonly nowMs: number; readonly nodes: number },
): number => {
  const isBroken = budgets.some((budget) => E.isLeft(isBudgetActive(budget, nowMs)))
  if (isBroken) return 0
  return budgets
    .filter((budget) => budget.reasons === undefined || budget.reasons.includes(reason))
    .reduce((least, budget) => Math.min(least, allowedBy(budget, nowMs, nodes)), Infinity)
}

/**
 * The allowance of each NodePool by name, from the state of its nodes. D-BUDG-07…09.
 *
 * @example
 * import { nodePool } from '@scantling/core/testing'
 * allowances([nodePool('general')], [], 'Empty', 0).get('general')
 * // => { allowed: Infinity, consumed: 0, left: Infinity }
 */
export const allowances = (
  nodePools: ReadonlyArray<NodePool>,
  nodes: ReadonlyArray<StateNode>,
  reason: DisruptionReason,
  nowMs: number,
): ReadonlyMap<string, Allowance> => {
  const counted = new Map<string, { total: number; consumed: number }>()
  for (const state of nodes) {
    if (!state.isManaged || !StateNodes.isInitialized(state)) continue
    if (Conditions.isTrue(state.claim?.conditions ?? [], 'InstanceTerminating')) continue
    const pool = StateNodes.labelsOf(state)[labelKeys.nodePool]
    if (pool === undefined) continue
    const count = counted.get(pool) ?? { total: 0, consumed: 0 }
    count.total += 1
    if (state.isMarkedForDeletion || !Conditions.isTrue(state.node?.conditions ?? [], 'Ready')) count.consumed += 1
    counted.set(pool, count)
  }
  return new Map(
    nodePools.map((pool) => {
      const { total, consumed } = counted.get(pool.name) ?? { total: 0, consumed: 0 }
      const allowed = allowedDisruptions(pool.disruption.budgets, reason, { nowMs, nodes: total })
      return [pool.name, { allowed, consumed, left: Math.max(0, allowed - consumed) }]
    }),
  )
}
