/** From pods that wait to NodeClaims. */
export { capacityBuffers, watchBuffers } from './capacity-buffers.ts'
export { passStrategy } from './pass-strategy.ts'
export { triggerOnPods } from './pod-trigger.ts'
export { type ClaimOrder, createClaim, provision, runProvisioner } from './provisioner.ts'
