import type {
  CapacityBufferObject,
  CSINodeObject,
  DaemonSetObject,
  NamespaceObject,
  NodeClaimObject,
  NodeClassObject,
  NodeObject,
  NodeOverlayObject,
  NodePoolObject,
  PersistentVolumeClaimObject,
  PersistentVolumeObject,
  PodDisruptionBudgetObject,
  PodObject,
  PriorityClassObject,
  ServiceObject,
  StorageClassObject,
  StoredPodTemplateObject,
  VolumeAttachmentObject,
} from '@scantling/core'
import type { ObjectCache } from './object-cache.ts'

/** Everything the controller watches, kept up to date by list-watch and by its own writes. */
export interface Caches {
  /** `byNode`: spec.nodeName, empty string for unbound pods. */
  readonly pods: ObjectCache<PodObject, 'byNode'>
  /** `byProviderId`: spec.providerID. */
  readonly nodes: ObjectCache<NodeObject, 'byProviderId'>
  /** `byProviderId`: status.providerID. `byNodePool`: the karpenter.sh/nodepool label. `byNodeClass`: spec.nodeClassRef as `group/kind/name`. */
  readonly nodeClaims: ObjectCache<NodeClaimObject, 'byProviderId' | 'byNodePool' | 'byNodeClass'>
  /** `byNodeClass`: the template's nodeClassRef as `group/kind/name`. */
  readonly nodePools: ObjectCache<NodePoolObject, 'byNodeClass'>
  /** The provider's kinds, by `group/kind` as a nodeClassRef states them. */
  readonly nodeClasses: ReadonlyMap<string, ObjectCache<NodeClassObject>>
  readonly daemonSets: ObjectCache<DaemonSetObject>
  readonly podDisruptionBudgets: ObjectCache<PodDisruptionBudgetObject>
  readonly persistentVolumeClaims: ObjectCache<PersistentVolumeClaimObject>
  readonly persistentVolumes: ObjectCache<PersistentVolumeObject>
  readonly storageClasses: ObjectCache<StorageClassObject>
  readonly csiNodes: ObjectCache<CSINodeObject>
  /** `byNode`: spec.nodeName. */
  readonly volumeAttachments: ObjectCache<VolumeAttachmentObject, 'byNode'>
  readonly namespaces: ObjectCache<NamespaceObject>
  readonly priorityClasses: ObjectCache<PriorityClassObject>
  /** Present where the feature is on, as are the two after it. */
  readonly nodeOverlays?: ObjectCache<NodeOverlayObject>
  readonly buffers?: {
    readonly capacityBuffers: ObjectCache<CapacityBufferObject>
    readonly podTemplates: ObjectCache<StoredPodTemplateObject>
  }
  /** `byNamespace`: metadata.namespace. */
  readonly services?: ObjectCache<ServiceObject, 'byNamespace'>
  /** Whether every cache has applied a full list. */
  readonly synced: () => boolean
}
