import { decoderOf, s, type TypeOf } from '../../schema/index.ts'
import { clusterMetadata, identityOf, namespacedMetadata } from './metadata.ts'
import { nodeSelectorTermSchema } from './pod.ts'

export const persistentVolumeClaimSchema = s.named(
  'PersistentVolumeClaim',
  s.object({
    ...identityOf('v1', 'PersistentVolumeClaim'),
    metadata: namespacedMetadata,
    spec: s.filledIn(
      s.object({
        volumeName: s.optional(s.string({ emptyIsAbsent: true })),
        /** Empty text asks for a volume without a class; absent, for the default class. */
        storageClassName: s.optional(s.string()),
      }),
      {},
    ),
    status: s.filledIn(s.object({ phase: s.optional(s.string()) }), {}),
  }),
)
export interface PersistentVolumeClaimObject extends TypeOf<typeof persistentVolumeClaimSchema> {}
export const decodePersistentVolumeClaim = decoderOf<PersistentVolumeClaimObject>(persistentVolumeClaimSchema)

const presence = s.optional(s.object({}))

export const persistentVolumeSchema = s.named(
  'PersistentVolume',
  s.object({
    ...identityOf('v1', 'PersistentVolume'),
    metadata: clusterMetadata,
    spec: s.filledIn(
      s.object({
        storageClassName: s.optional(s.string({ emptyIsAbsent: true })),
        nodeAffinity: s.optional(
          s.object({
            required: s.optional(s.object({ nodeSelectorTerms: s.filledIn(s.array(nodeSelectorTermSchema), []) })),
          }),
        ),
        claimRef: s.optional(
          s.object({ namespace: s.optional(s.string()), name: s.optional(s.string()), uid: s.optional(s.string()) }),
        ),
        csi: s.optional(s.object({ driver: s.string(), volumeHandle: s.filledIn(s.string(), '') })),
        // Which of the older volume sources it is decides about the driver and whether it binds to one node.
        hostPath: presence,
        local: presence,
        awsElasticBlockStore: presence,
        gcePersistentDisk: presence,
        azureDisk: presence,
        azureFile: presence,
        cinder: presence,
        portworxVolume: presence,
        vsphereVolume: presence,
      }),
      {},
    ),
    status: s.filledIn(s.object({ phase: s.optional(s.string()) }), {}),
  }),
)
export interface PersistentVolumeObject extends TypeOf<typeof persistentVolumeSchema> {}
export const decodePersistentVolume = decoderOf<PersistentVolumeObject>(persistentVolumeSchema)

export const storageClassSchema = s.named(
  'StorageClass',
  s.object({
    ...identityOf('storage.k8s.io/v1', 'StorageClass'),
    metadata: clusterMetadata,
    provisioner: s.filledIn(s.string(), ''),
    volumeBindingMode: s.filledIn(s.literals(['Immediate', 'WaitForFirstConsumer']), 'Immediate'),
    allowedTopologies: s.filledIn(
      s.array(
        s.object({
          matchLabelExpressions: s.filledIn(
            s.array(s.object({ key: s.string(), values: s.filledIn(s.array(s.string()), []) })),
            [],
          ),
        }),
      ),
      [],
    ),
  }),
)
export interface StorageClassObject extends TypeOf<typeof storageClassSchema> {}
export const decodeStorageClass = decoderOf<StorageClassObject>(storageClassSchema)

export const csiNodeSchema = s.named(
  'CSINode',
  s.object({
    ...identityOf('storage.k8s.io/v1', 'CSINode'),
    metadata: clusterMetadata,
    spec: s.filledIn(
      s.object({
        drivers: s.filledIn(
          s.array(
            s.object({
              name: s.string(),
              nodeID: s.filledIn(s.string(), ''),
              allocatable: s.optional(s.object({ count: s.optional(s.integer()) })),
              topologyKeys: s.filledIn(s.array(s.string()), []),
            }),
          ),
          [],
        ),
      }),
      {},
    ),
  }),
)
export interface CSINodeObject extends TypeOf<typeof csiNodeSchema> {}
export const decodeCSINode = decoderOf<CSINodeObject>(csiNodeSchema)

export const volumeAttachmentSchema = s.named(
  'VolumeAttachment',
  s.object({
    ...identityOf('storage.k8s.io/v1', 'VolumeAttachment'),
    metadata: clusterMetadata,
    spec: s.object({
      attacher: s.filledIn(s.string(), ''),
      nodeName: s.string(),
      source: s.filledIn(s.object({ persistentVolumeName: s.optional(s.string()) }), {}),
    }),
    status: s.filledIn(s.object({ attached: s.filledIn(s.boolean(), false) }), {}),
  }),
)
export interface VolumeAttachmentObject extends TypeOf<typeof volumeAttachmentSchema> {}
export const decodeVolumeAttachment = decoderOf<VolumeAttachmentObject>(volumeAttachmentSchema)
