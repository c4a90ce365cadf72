/** What to take away: candidates, budgets and the planner of disruption. */
export * from './budget.ts'
export { evictionCost, nodePricePerHour, rescheduleCost } from './cost.ts'
export type * from './plan.ts'
export * from './plan-disruption.ts'
