import {
  ingestDaemonSet,
  ingestNode,
  ingestNodeClaim,
  ingestNodePool,
  ingestPersistentVolume,
  ingestPod,
  ingestPodDisruptionBudget,
  ingestStorageClass,
  ingestVolumeClaim,
  makePodInterner,
  type ClaimState,
  type DaemonSet,
  type DaemonSetObject,
  type NodeClaimObject,
  type NodeClassReference,
  type NodeObject,
  type NodePool,
  type NodePoolObject,
  type NodeState,
  type PersistentVolume,
  type PersistentVolumeClaimObject,
  type PersistentVolumeObject,
  type Pod,
  type PodDisruptionBudget,
  type PodDisruptionBudgetObject,
  type PodObject,
  type StorageClass,
  type StorageClassObject,
  type VolumeClaim,
} from '@scantling/core'

/**
 * Cached objects as planners read them.
 *
 * Each object is converted once: a cache replaces an object that changed, so identity is version. Equal answers are the
 * same object, which planners compile by.
 */
export interface DomainViews {
  readonly pod: (object: PodObject) => Pod
  readonly node: (object: NodeObject) => NodeState
  readonly claim: (object: NodeClaimObject) => ClaimState
  readonly nodePool: (object: NodePoolObject) => NodePool
  /** `newest`: the newest live pod of the DaemonSet, whose shape it takes (P-DMN-01). */
  readonly daemonSet: (object: DaemonSetObject, newest: PodObject | undefined) => DaemonSet
  readonly podDisruptionBudget: (object: PodDisruptionBudgetObject) => PodDisruptionBudget
  readonly volumeClaim: (object: PersistentVolumeClaimObject) => VolumeClaim
  readonly persistentVolume: (object: PersistentVolumeObject) => PersistentVolume
  readonly storageClass: (object: StorageClassObject) => StorageClass
}

export const makeDomainViews = (supportsNodeClass: (nodeClass: NodeClassReference) => boolean): DomainViews => {
  const interner = makePodInterner()
  const daemonSets = new WeakMap<
    DaemonSetObject,
    { readonly newest: PodObject | undefined; readonly made: DaemonSet }
  >()
  return {
    pod: once((object: PodObject) => ingestPod(object, interner)),
    node: once(ingestNode),
    claim: once(ingestNodeClaim),
    nodePool: once((object: NodePoolObject) => ingestNodePool(object, { supportsNodeClass, readiness: 'stated' })),
    daemonSet: (object, newest) => {
      const known = daemonSets.get(object)
      if (known !== undefined && known.newest === newest) return known.made
      const made = ingestDaemonSet(object, newest, interner)
      daemonSets.set(object, { newest, made })
      return made
    },
    podDisruptionBudget: once(ingestPodDisruptionBudget),
    volumeClaim: once(ingestVolumeClaim),
    persistentVolume: once(ingestPersistentVolume),
    storageClass: once(ingestStorageClass),
  }
}

const once = <A extends object, B>(convert: (object: A) => B): ((object: A) => B) => {
  const known = new WeakMap<A, B>()
  return (object) => {
    const present = known.get(object)
    if (present !== undefined) return present
    const made = convert(object)
    known.set(object, made)
    return made
  }
}
