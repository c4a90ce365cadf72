/** What to take away: candidates, budgets and the planner of disruption. */
export * from './budget.ts'
export { evictionCost, lifetimeCost, nodePricePerHour, rescheduleCost, type CostRules } from './cost.ts'
export type { CandidateState } from './candidate.ts'
export { defaultMoveAgainAfterMs, type MethodOutcome, type PassOptions } from './pass.ts'
export * from './evacuation.ts'
export * from './plan.ts'
export * from './plan-disruption.ts'
export * from './validate-command.ts'
