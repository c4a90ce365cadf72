import type { Condition } from './state-node.ts'
import { compareText } from '../internal/index.ts'

/** What a step says of one condition; the transition time and generation are filled in when it is laid over the list. */
export interface ConditionChange {
  readonly type: string
  /** `Absent` removes the condition. */
  readonly status: Condition['status'] | 'Absent'
  readonly reason?: string
  readonly message?: string
  /** When its status came to be so; absent: now. */
  readonly atMs?: number
}

/**
 * The condition of a type, if it was ever reported.
 *
 * @example
 * Conditions.find([], 'Ready') // => undefined
 */
export const find = (conditions: ReadonlyArray<Condition>, type: string): Condition | undefined =>
  conditions.find((condition) => condition.type === type)

/**
 * Whether the condition is reported True.
 *
 * @example
 * Conditions.isTrue([], 'Ready') // => false
 */
export const isTrue = (conditions: ReadonlyArray<Condition>, type: string): boolean =>
  find(conditions, type)?.status === 'True'

/**
 * Neither True nor False: not reported yet counts as Unknown.
 *
 * @example
 * Conditions.isUnknown([], 'Ready') // => true
 */
export const isUnknown = (conditions: ReadonlyArray<Condition>, type: string): boolean =>
  (find(conditions, type)?.status ?? 'Unknown') === 'Unknown'

/**
 * The list with changes laid over it, sorted by type.
 *
 * The transition time moves only when the status does. A dependent of Ready that is first reported Unknown counts from
 * the object's creation, so that a time-out measured from it cannot start late (C-API-12).
 *
 * @example
 * const at = { nowMs: 1_000, createdAtMs: 0, generation: 1, dependents: [] }
 * const [ready] = Conditions.apply([], [{ type: 'Ready', status: 'True' }], at)
 * ready?.lastTransitionAtMs // => 1_000
 */
export const apply = (
  conditions: ReadonlyArray<Condition>,
  changes: ReadonlyArray<ConditionChange>,
  at: {
    readonly nowMs: number
    readonly createdAtMs: number
    readonly generation: number
    readonly dependents: ReadonlyArray<string>
  },
): ReadonlyArray<Condition> => {
  const byType = new Map(conditions.map((condition) => [condition.type, condition]))
  for (const { type, status, reason, message, atMs = at.nowMs } of changes) {
    const present = byType.get(type)
    if (status === 'Absent') {
      byType.delete(type)
      continue
    }
    byType.set(type, {
      type,
      status,
      reason: reason ?? type,
      message: message ?? '',
      lastTransitionAtMs:
        present === undefined
          ? status === 'Unknown' && at.dependents.includes(type)
            ? at.createdAtMs
            : atMs
          : present.status === status
            ? present.lastTransitionAtMs
            : atMs,
      observedGeneration: at.generation,
    })
  }
  return [...byType.values()].sort((a, b) => compareText(a.type, b.type))
}

/**
 * The change that sums up dependents in the root condition `Ready` (C-API-11).
 *
 * False as soon as one dependent is False at this generation, True when all are True at it, Unknown otherwise.
 *
 * @example
 * Conditions.rollUp([], ['Launched', 'Registered'], 1).status // => 'Unknown'
 */
export const rollUp = (
  conditions: ReadonlyArray<Condition>,
  dependents: ReadonlyArray<string>,
  generation: number,
): ConditionChange => {
  const current = dependents.map((type) => {
    const condition = find(conditions, type)
    return {
      type,
      status: condition?.observedGeneration === generation ? condition.status : ('Unknown' as const),
      condition,
    }
  })
  const bad = current.filter(({ status }) => status === 'False')
  if (bad.length > 0) {
    return {
      type: 'Ready',
      status: 'False',
      reason: 'UnhealthyDependents',
      message: bad.map(({ type, condition }) => `${type}=False, ${condition?.message || condition?.reason}`).join('; '),
    }
  }
  const waiting = current.filter(({ status }) => status === 'Unknown')
  return waiting.length > 0
    ? {
        type: 'Ready',
        status: 'Unknown',
        reason: 'ReconcilingDependents',
        message: waiting
          .map(({ type, condition }) => `${type}=Unknown${condition?.message ? `, ${condition.message}` : ''}`)
          .join('; '),
      }
    : { type: 'Ready', status: 'True' }
}
