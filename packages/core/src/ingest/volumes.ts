import type {
  CSINodeObject,
  PersistentVolumeClaimObject,
  PersistentVolumeObject,
  StorageClassObject,
} from '../api/index.ts'
import type { PersistentVolume, StorageClass, VolumeClaim } from '../cluster/index.ts'
import { Labels } from '../labels/index.ts'

/**
 * A PersistentVolumeClaim as planners read it.
 *
 * @example
 * const decoded = decodePersistentVolumeClaim({
 *   metadata: { name: 'data', namespace: 'default' },
 *   spec: { volumeName: 'pv-1' },
 * })
 * decoded._tag === 'Right' && ingestVolumeClaim(decoded.right).volumeName // => 'pv-1'
 */
export const ingestVolumeClaim = ({ metadata, spec, status }: PersistentVolumeClaimObject): VolumeClaim => ({
  namespace: metadata.namespace,
  name: metadata.name,
  ...(status.phase === 'Pending' || status.phase === 'Bound' || status.phase === 'Lost' ? { phase: status.phase } : {}),
  isDeleting: metadata.deletionTimestamp !== undefined,
  ...(spec.volumeName === undefined ? {} : { volumeName: spec.volumeName }),
  isBindCompleted: Labels.has(metadata.annotations, 'pv.kubernetes.io/bind-completed'),
  ...(spec.storageClassName === undefined ? {} : { storageClassName: spec.storageClassName }),
})

/**
 * A PersistentVolume as planners read it: where it can be attached, and by which driver.
 *
 * @example
 * const decoded = decodePersistentVolume({ metadata: { name: 'pv-1' }, spec: { csi: { driver: 'ebs.csi.aws.com' } } })
 * decoded._tag === 'Right' && ingestPersistentVolume(decoded.right).driver // => 'ebs.csi.aws.com'
 */
export const ingestPersistentVolume = ({ metadata, spec }: PersistentVolumeObject): PersistentVolume => {
  // Volumes of other in-tree sources are not counted (P-VLM-03).
  const driver = spec.csi?.driver ?? (spec.awsElasticBlockStore === undefined ? undefined : 'ebs.csi.aws.com')
  return {
    name: metadata.name,
    isDeleting: metadata.deletionTimestamp !== undefined,
    ...(driver === undefined ? {} : { driver }),
    isNodeLocal: spec.local !== undefined || spec.hostPath !== undefined,
    nodeTerms: (spec.nodeAffinity?.required?.nodeSelectorTerms ?? [])
      .filter(({ matchExpressions }) => matchExpressions.length > 0)
      .map(({ matchExpressions }) => matchExpressions),
  }
}

// Source: https://kubernetes.io/docs/concepts/storage/volumes/, "CSI migration" of each in-tree plug-in.
const csiDrivers: ReadonlyMap<string, string> = new Map([
  ['kubernetes.io/aws-ebs', 'ebs.csi.aws.com'],
  ['kubernetes.io/azure-disk', 'disk.csi.azure.com'],
  ['kubernetes.io/azure-file', 'file.csi.azure.com'],
  ['kubernetes.io/cinder', 'cinder.csi.openstack.org'],
  ['kubernetes.io/gce-pd', 'pd.csi.storage.gke.io'],
  ['kubernetes.io/portworx-volume', 'pxd.portworx.com'],
  ['kubernetes.io/vsphere-volume', 'csi.vsphere.vmware.com'],
])

/**
 * The provisioner is translated to the CSI driver that took over from an in-tree plug-in (P-VLM-03).
 *
 * @example
 * const decoded = decodeStorageClass({ metadata: { name: 'gp2' }, provisioner: 'kubernetes.io/aws-ebs' })
 * decoded._tag === 'Right' && ingestStorageClass(decoded.right).provisioner // => 'ebs.csi.aws.com'
 */
export const ingestStorageClass = (object: StorageClassObject): StorageClass => ({
  name: object.metadata.name,
  provisioner: csiDrivers.get(object.provisioner) ?? object.provisioner,
  volumeBindingMode: object.volumeBindingMode,
  allowedTopologies: object.allowedTopologies.map(({ matchLabelExpressions }) =>
    matchLabelExpressions.map(({ key, values }) => ({ key, operator: 'In', values })),
  ),
})

// More than any node attaches: a number, so that snapshots survive JSON.
const unbounded = Number.MAX_SAFE_INTEGER

/**
 * How many volumes of each driver the node can attach (P-VLM-02).
 *
 * A driver that the node reports without a count has no limit, not even the one its instance type is known for.
 *
 * @example
 * const decoded = decodeCSINode({
 *   metadata: { name: 'node-1' },
 *   spec: { drivers: [{ name: 'ebs.csi.aws.com', allocatable: { count: 25 } }] },
 * })
 * decoded._tag === 'Right' && volumeLimitsOf(decoded.right).get('ebs.csi.aws.com') // => 25
 */
export const volumeLimitsOf = (object: CSINodeObject | undefined): ReadonlyMap<string, number> => {
  const limits = new Map<string, number>()
  for (const { name, allocatable } of object?.spec.drivers ?? []) {
    limits.set(name, allocatable?.count ?? unbounded)
  }
  return limits
}
