/** What NodePools, NodeClasses and NodeOverlays say of themselves, and pools of a fixed size. */
export { nodeOverlays, watchOverlays } from './node-overlays.ts'
export { makeNodeClasses, nodeClassStatus } from './nodeclasses.ts'
export { runNodePoolCosts } from './nodepool-costs.ts'
export { nodePoolStatus } from './nodepool-status.ts'
export { watchRegistrations } from './registration-health.ts'
export { staticDeprovisioning, staticProvisioning, watchStaticPools } from './static-capacity.ts'
