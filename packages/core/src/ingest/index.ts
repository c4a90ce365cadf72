/** From objects on the wire to what planners read; the only module that knows both. */
export { ingestBufferTemplate, ingestCapacityBuffer } from './capacity-buffer.ts'
export { ingestNodeOverlay, parsePriceChange } from './node-overlay.ts'
export { ingestNodePool, type NodePoolContext } from './node-pool.ts'
export { ingestPod, makePodInterner, type PodInterner } from './pod.ts'
export { podRequests, withLimitsAsRequests } from './pod-requests.ts'
export { decodeObjects, snapshotOf, type ObjectLists, type RefusedObject, type SnapshotContext } from './snapshot.ts'
export {
  ingestCondition,
  ingestNode,
  ingestNodeClaim,
  joinStateNodes,
  providerIdOf,
  stateNodeOf,
  type StateNodeParts,
  type StateNodeSources,
} from './state-node.ts'
export { expandTypePatterns, type ExpandedNodePool } from './type-patterns.ts'
export { ingestPersistentVolume, ingestStorageClass, ingestVolumeClaim, volumeLimitsOf } from './volumes.ts'
export { ingestDaemonSet, ingestPodDisruptionBudget, newestPodOf } from './workload.ts'
