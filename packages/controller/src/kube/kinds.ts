import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import {
  type CSINodeObject,
  type DaemonSetObject,
  type Decoder,
  type LeaseObject,
  type NamespaceObject,
  type NodeClaimObject,
  type NodeClassKind,
  type NodeClassObject,
  type NodeObject,
  type NodePoolObject,
  type PersistentVolumeClaimObject,
  type PersistentVolumeObject,
  type PodDisruptionBudgetObject,
  type PodObject,
  type PriorityClassObject,
  type StorageClassObject,
  type VolumeAttachmentObject,
  decodeCSINode,
  decodeDaemonSet,
  decodeLease,
  decodeNamespace,
  decodeNode,
  decodeNodeClaim,
  decodeNodePool,
  decodePersistentVolume,
  decodePersistentVolumeClaim,
  decodePod,
  decodePodDisruptionBudget,
  decodePriorityClass,
  decodeStorageClass,
  decodeVolumeAttachment,
  decoderOf,
  renderFieldError,
} from '@scantling/core'
import type { KubeObject, ResourceKind } from './resource-kind.ts'
import { type SharingPool, makeSharingPool } from './sharing-pool.ts'

/** The kinds that the controller reads, each with the projection to the fields that are read. */
export interface Kinds {
  readonly pods: ResourceKind<PodObject>
  readonly nodes: ResourceKind<NodeObject>
  readonly nodeClaims: ResourceKind<NodeClaimObject>
  readonly nodePools: ResourceKind<NodePoolObject>
  readonly daemonSets: ResourceKind<DaemonSetObject>
  readonly podDisruptionBudgets: ResourceKind<PodDisruptionBudgetObject>
  readonly persistentVolumeClaims: ResourceKind<PersistentVolumeClaimObject>
  readonly persistentVolumes: ResourceKind<PersistentVolumeObject>
  readonly storageClasses: ResourceKind<StorageClassObject>
  readonly csiNodes: ResourceKind<CSINodeObject>
  readonly volumeAttachments: ResourceKind<VolumeAttachmentObject>
  readonly namespaces: ResourceKind<NamespaceObject>
  readonly priorityClasses: ResourceKind<PriorityClassObject>
  readonly leases: ResourceKind<LeaseObject>
}

/** The kinds, with one pool of shared values between them. */
export const makeKinds = (): Kinds => {
  const pool = makeSharingPool()
  return {
    pods: {
      apiVersion: 'v1',
      kind: 'Pod',
      plural: 'pods',
      namespaced: true,
      project: projectionOf(decodePod, (pod) => sharePod(pod, pool)),
    },
    nodes: {
      apiVersion: 'v1',
      kind: 'Node',
      plural: 'nodes',
      namespaced: false,
      project: projectionOf(decodeNode, (node) => shareNode(node, pool)),
    },
    nodeClaims: kindOf('karpenter.sh/v1', 'NodeClaim', 'nodeclaims', false, decodeNodeClaim),
    nodePools: kindOf('karpenter.sh/v1', 'NodePool', 'nodepools', false, decodeNodePool),
    daemonSets: kindOf('apps/v1', 'DaemonSet', 'daemonsets', true, decodeDaemonSet),
    podDisruptionBudgets: kindOf(
      'policy/v1',
      'PodDisruptionBudget',
      'poddisruptionbudgets',
      true,
      decodePodDisruptionBudget,
    ),
    persistentVolumeClaims: kindOf(
      'v1',
      'PersistentVolumeClaim',
      'persistentvolumeclaims',
      true,
      decodePersistentVolumeClaim,
    ),
    persistentVolumes: kindOf('v1', 'PersistentVolume', 'persistentvolumes', false, decodePersistentVolume),
    storageClasses: kindOf('storage.k8s.io/v1', 'StorageClass', 'storageclasses', false, decodeStorageClass),
    csiNodes: kindOf('storage.k8s.io/v1', 'CSINode', 'csinodes', false, decodeCSINode),
    volumeAttachments: kindOf(
      'storage.k8s.io/v1',
      'VolumeAttachment',
      'volumeattachments',
      false,
      decodeVolumeAttachment,
    ),
    namespaces: kindOf('v1', 'Namespace', 'namespaces', false, decodeNamespace),
    priorityClasses: kindOf('scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', false, decodePriorityClass),
    leases: kindOf('coordination.k8s.io/v1', 'Lease', 'leases', true, decodeLease),
  }
}

/** The kind of a provider's NodeClass, read in its stored version. */
export const nodeClassKindOf = (nodeClass: NodeClassKind<NodeClassObject>): ResourceKind<NodeClassObject> => {
  const [stored] = nodeClass.versions
  return kindOf(
    `${nodeClass.group}/${stored.name}`,
    nodeClass.kind,
    nodeClass.names.plural,
    false,
    decoderOf<NodeClassObject>(stored.schema),
  )
}

/** A kind whose objects are decoded and kept as they are. */
export const kindOf = <A extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  namespaced: boolean,
  decode: Decoder<A>,
): ResourceKind<A> => ({ apiVersion, kind, plural, namespaced, project: projectionOf(decode, (object) => object) })

const projectionOf =
  <A>(decode: Decoder<A>, share: (object: A) => A): ResourceKind<A & KubeObject>['project'] =>
  (raw) =>
    pipe(
      decode(raw),
      E.bimap((errors) => errors.map(renderFieldError).join('; '), share as (object: A) => A & KubeObject),
    )

const sharePod = (pod: PodObject, { share }: SharingPool): PodObject => {
  const { metadata, spec, status } = pod
  // Every pod has a token volume of its own name; planners read only volumes with one of the sources that are kept.
  const volumes = spec.volumes.filter((volume) => volume.persistentVolumeClaim ?? volume.ephemeral ?? volume.csi)
  // A copy whose fields are then replaced keeps the engine's fast layout; one filled key by key would not.
  const sharedSpec: Record<string, unknown> = { ...spec, volumes }
  for (const field of Object.keys(sharedSpec)) sharedSpec[field] = share(sharedSpec[field])
  return {
    ...pod,
    metadata: {
      ...metadata,
      namespace: share(metadata.namespace),
      labels: share(metadata.labels),
      annotations: share(metadata.annotations),
      finalizers: share(metadata.finalizers),
      ownerReferences: share(metadata.ownerReferences),
    },
    spec: sharedSpec as unknown as PodObject['spec'],
    status: {
      ...status,
      // Transition times are whole seconds, so that pods that started together share these as well.
      conditions: status.conditions.map(share),
      containerStatuses: share(status.containerStatuses),
      initContainerStatuses: share(status.initContainerStatuses),
    },
  }
}

const shareNode = (node: NodeObject, { share }: SharingPool): NodeObject => ({
  ...node,
  spec: { ...node.spec, taints: share(node.spec.taints) },
  status: {
    ...node.status,
    capacity: share(node.status.capacity),
    allocatable: share(node.status.allocatable),
    nodeInfo: share(node.status.nodeInfo),
  },
})
