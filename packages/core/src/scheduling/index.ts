/** The provisioning planner. */
export type * from './plan.ts'
export type * from './rejection.ts'
