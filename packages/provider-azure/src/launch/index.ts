/** Launching: what to buy, and the paths by which it becomes a node. */
export type * from './launch-path.ts'
export { planLaunch, type LaunchPlan } from './plan.ts'
