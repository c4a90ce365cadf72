/** From objects on the wire to what planners read; the only module that knows both. */
export { ingestNodePool, type NodePoolContext } from './node-pool.ts'
export { ingestPod, makePodInterner, type PodInterner } from './pod.ts'
export { podRequests } from './pod-requests.ts'
export { decodeObjects, snapshotOf, type ObjectLists, type RefusedObject, type SnapshotContext } from './snapshot.ts'
export {
  ingestNode,
  ingestNodeClaim,
  joinStateNodes,
  providerIdOf,
  stateNodeOf,
  type StateNodeParts,
  type StateNodeSources,
} from './state-node.ts'
export { ingestPersistentVolume, ingestStorageClass, ingestVolumeClaim, volumeLimitsOf } from './volumes.ts'
export { ingestDaemonSet, ingestPodDisruptionBudget, newestPodOf } from './workload.ts'
