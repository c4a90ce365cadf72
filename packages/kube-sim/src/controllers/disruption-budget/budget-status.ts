import { resolveIntOrPercent } from '../int-or-percent.ts'
import type { DisruptionBudgetObject } from '../objects.ts'

export interface BudgetInput {
  readonly spec: DisruptionBudgetObject['spec']
  /** Pods that the budget selects and that have not ended. */
  readonly pods: number
  /** Those of them that are ready and not being disrupted. */
  readonly healthy: number
  /** What the controllers of these pods want together, or nothing when one of them cannot be asked. */
  readonly wanted: number | undefined
}

export interface BudgetCounts {
  readonly expectedPods: number
  readonly desiredHealthy: number
  readonly currentHealthy: number
  readonly disruptionsAllowed: number
}

/**
 * The numbers of a budget's status, or nothing when they cannot be known.
 *
 * Shares and `maxUnavailable` are of what the controllers want, not of what there is; shares round up.
 * Source: https://kubernetes.io/docs/tasks/run-application/configure-pdb/
 */
export const budgetCounts = ({ spec, pods, healthy, wanted }: BudgetInput): BudgetCounts | undefined => {
  const { minAvailable, maxUnavailable } = spec
  const count = (expectedPods: number, desiredHealthy: number): BudgetCounts => ({
    expectedPods,
    desiredHealthy,
    currentHealthy: healthy,
    disruptionsAllowed: expectedPods <= 0 ? 0 : Math.max(healthy - desiredHealthy, 0),
  })
  if (maxUnavailable !== undefined) {
    if (wanted === undefined) return undefined
    return count(wanted, Math.max(wanted - resolveIntOrPercent(maxUnavailable, wanted, 'up'), 0))
  }
  if (typeof minAvailable === 'number') return count(pods, minAvailable)
  if (minAvailable === undefined) return count(pods, 0)
  return wanted === undefined ? undefined : count(wanted, resolveIntOrPercent(minAvailable, wanted, 'up'))
}
