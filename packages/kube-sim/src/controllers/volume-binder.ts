import { refTo } from '../face.ts'
import { queueOf, type Cluster, type Running } from './cluster.ts'
import type { NodeObject, NodeSelector, StorageClassObject, VolumeClaimObject, VolumeObject } from './objects.ts'
import { compareText } from './order.ts'
import { keyOf, splitKey } from './pod-state.ts'
import { refs } from './refs.ts'
import { isConflict, isNotFound } from './status-error.ts'

const zoneLabel = 'topology.kubernetes.io/zone'
const selectedNodeKey = 'volume.kubernetes.io/selected-node'
const retryMs = 1000

/**
 * Makes and binds volumes for claims whose storage class names a provisioner, as an external provisioner would.
 *
 * A class with `WaitForFirstConsumer` waits for the scheduler to name a node and makes the volume in that node's zone; others
 * are bound at once, in the first allowed zone. Volumes that exist already are bound only to claims that name them.
 * Source: https://kubernetes.io/docs/concepts/storage/dynamic-provisioning/
 */
export const startVolumeBinder = (cluster: Cluster): Running => {
  const { face, informers } = cluster
  const claims = face.peek<VolumeClaimObject>('', 'persistentvolumeclaims')
  const volumes = face.peek<VolumeObject>('', 'persistentvolumes')
  const classes = face.peek<StorageClassObject>('storage.k8s.io', 'storageclasses')
  const nodes = face.peek<NodeObject>('', 'nodes')

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const claim = claims.get(name, namespace)
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return
    const named = claim.spec.volumeName ?? ''
    if (named !== '') {
      const volume = volumes.get(named)
      if (volume === undefined) return queue.addAfter(key, retryMs)
      return bind(claim, volume)
    }
    const storageClass = classes.get(claim.spec.storageClassName ?? '')
    if (storageClass === undefined || storageClass.provisioner === 'kubernetes.io/no-provisioner') return
    const nodeName = claim.metadata.annotations?.[selectedNodeKey]
    if (storageClass.volumeBindingMode !== 'WaitForFirstConsumer') {
      return bind(claim, await provision(claim, storageClass, firstAllowed(storageClass)))
    }
    const node = nodeName === undefined ? undefined : nodes.get(nodeName)
    if (node !== undefined) await bind(claim, await provision(claim, storageClass, sameZone(node)))
  }

  const provision = async (
    claim: VolumeClaimObject,
    storageClass: StorageClassObject,
    required: NodeSelector | undefined,
  ): Promise<VolumeObject> => {
    const name = `pvc-${claim.metadata.uid}`
    const known = volumes.get(name)
    if (known !== undefined) return known
    const { provisioner = '', reclaimPolicy = 'Delete' } = storageClass
    return face.create<VolumeObject>(refs.volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
      spec: {
        capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' },
        accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
        volumeMode: claim.spec.volumeMode ?? 'Filesystem',
        persistentVolumeReclaimPolicy: reclaimPolicy,
        storageClassName: storageClass.metadata.name,
        csi: { driver: provisioner, volumeHandle: name },
        claimRef: claimReference(claim),
        ...(required === undefined ? {} : { nodeAffinity: { required } }),
      },
    })
  }

  const bind = async (claim: VolumeClaimObject, volume: VolumeObject) => {
    if (volume.spec.claimRef?.uid !== claim.metadata.uid) {
      const isFree = volume.spec.claimRef?.uid === undefined
      if (!isFree) return
      await face.patch(refTo(refs.volumes, volume), 'merge', { spec: { claimRef: claimReference(claim) } })
    }
    if (volume.status?.phase !== 'Bound') {
      await face.patch(refTo(refs.volumes, volume, 'status'), 'merge', { status: { phase: 'Bound' } })
    }
    if (claim.spec.volumeName !== volume.metadata.name) {
      await face.patch(refTo(refs.volumeClaims, claim), 'merge', {
        metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
        spec: { volumeName: volume.metadata.name },
      })
    }
    if (claim.status?.phase !== 'Bound') {
      const status = {
        phase: 'Bound',
        accessModes: claim.spec.accessModes ?? [],
        capacity: claim.spec.resources?.requests ?? {},
      }
      await face.patch(refTo(refs.volumeClaims, claim, 'status'), 'merge', { status })
    }
  }

  /** What becomes of a volume whose claim is gone. */
  const release = async (claim: VolumeClaimObject) => {
    const volume = volumes.get(claim.spec.volumeName ?? '')
    if (volume?.spec.claimRef?.uid !== claim.metadata.uid) return
    try {
      if (volume.spec.persistentVolumeReclaimPolicy === 'Delete') await face.delete(refTo(refs.volumes, volume))
      else await face.patch(refTo(refs.volumes, volume, 'status'), 'merge', { status: { phase: 'Released' } })
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) cluster.onError(error, 'volume-binder', keyOf(claim))
    }
  }

  const queue = queueOf(cluster, 'volume-binder', reconcile)
  informers.on<VolumeClaimObject>(refs.volumeClaims, ({ type, object }) => {
    if (type === 'DELETED') void release(object)
    else queue.add(keyOf(object))
  })
  informers.on<StorageClassObject>(refs.storageClasses, ({ object }) => {
    for (const claim of claims.values()) {
      if (claim.spec.storageClassName === object.metadata.name) queue.add(keyOf(claim))
    }
  })
  return { stop: queue.stop }
}

const claimReference = (claim: VolumeClaimObject) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  namespace: claim.metadata.namespace ?? '',
  name: claim.metadata.name,
  uid: claim.metadata.uid,
})

const inZone = (key: string, values: ReadonlyArray<string>): NodeSelector => ({
  nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values }] }],
})

const sameZone = (node: NodeObject): NodeSelector | undefined => {
  const zone = node.metadata.labels?.[zoneLabel]
  return zone === undefined ? undefined : inZone(zoneLabel, [zone])
}

const firstAllowed = ({ allowedTopologies = [] }: StorageClassObject): NodeSelector | undefined => {
  const expressions = allowedTopologies[0]?.matchLabelExpressions ?? []
  const terms = expressions.map(({ key, values }) => ({
    key,
    operator: 'In',
    values: [...values].sort(compareText).slice(0, 1),
  }))
  return terms.length === 0 ? undefined : { nodeSelectorTerms: [{ matchExpressions: terms }] }
}
