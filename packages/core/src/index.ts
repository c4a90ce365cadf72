/**
 * Scantling's core: planners from a snapshot of a cluster to a plan with reasons. Pure; see docs/architecture.md.
 */
export * from './quantity/index.ts'
export * from './time/index.ts'
export * from './labels/index.ts'
export * from './schema/index.ts'
export * from './requirements/index.ts'
export * from './taints/index.ts'
export * from './api/index.ts'
export * from './instance/index.ts'
export * from './provider/index.ts'
export * from './cluster/index.ts'
export * from './ingest/index.ts'
export * from './overlay/index.ts'
// What disruption and static capacity borrow from the planner's engine stays inside.
export { forecastLaunch, isProvisionable, planProvisioning, startProvisioning } from './scheduling/index.ts'
export type {
  Launch,
  LaunchForecast,
  NodePoolReason,
  Placement,
  PodReason,
  ProvisioningOptions,
  ProvisioningPlan,
  ProvisioningRun,
  ProvisioningStats,
  Reason,
  Rejection,
  RequirementProblem,
  Strategy,
  VolumeClaimProblem,
} from './scheduling/index.ts'
export * from './default-spread/index.ts'
export * from './buffers/index.ts'
export * from './cluster-cost/index.ts'
export * from './registration-health/index.ts'
export * from './static-capacity/index.ts'
export * from './lifecycle/index.ts'
export * from './disruption/index.ts'
export * from './explain/index.ts'
export * from './saved-snapshot/index.ts'
export * from './scenario/index.ts'
