/** What becomes of NodeClaims: launch, registration, initialization, conditions, expiry, garbage collection. */
export { claimConditions, podEvents, watchPodEvents } from './claim-conditions.ts'
export { nodeClaimConsistency } from './consistency.ts'
export { nodeClaimExpiration } from './expiration.ts'
export { runGarbageCollection } from './garbage-collection.ts'
export { nodeClaimHydration } from './hydration.ts'
export { nodeClaimLifecycle } from './nodeclaim-lifecycle.ts'
