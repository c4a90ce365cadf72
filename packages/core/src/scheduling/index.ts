/** The provisioning planner. */
export { customLabels } from './finalize.ts'
export type * from './plan.ts'
export { planProvisioning, startProvisioning, type ProvisioningRun } from './plan-provisioning.ts'
export { isProvisionable } from './pod-eligibility.ts'
export type * from './rejection.ts'
export { Offer } from './offer.ts'
export * from './simulator.ts'
