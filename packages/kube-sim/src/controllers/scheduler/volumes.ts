import type { Face } from '../../face.ts'
import type { StorageClassObject, VolumeClaimObject, VolumeObject } from '../objects.ts'
import { meetsNodeSelector } from '../selectors.ts'
import type { NodeState } from './node-state.ts'
import type { Rejection, VolumeCheck } from './filters.ts'
import type { PodClass } from './pod-class.ts'

/** What a pod's claims mean for its placement. */
export type VolumePlan =
  /** No node will do until a claim changes. */
  | { readonly _tag: 'Blocked'; readonly message: string }
  | {
      readonly _tag: 'Ready'
      readonly check: VolumeCheck | undefined
      /** Claims that wait for the pod's node before their volume is made. */
      readonly unbound: ReadonlyArray<VolumeClaimObject>
    }

const affinityConflict: Rejection = {
  reasons: ["node(s) didn't match PersistentVolume's node affinity"],
  isResolvable: false,
}
const noVolumeHere: Rejection = {
  reasons: ["node(s) didn't find available persistent volumes to bind"],
  isResolvable: false,
}

/**
 * Reads a class's claims: bound ones pin it to the nodes that reach their volume, waiting ones to their class's topology.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
 */
export const planVolumes = (face: Face, podClass: PodClass): VolumePlan => {
  if (podClass.claimNames.length === 0) return { _tag: 'Ready', check: undefined, unbound: [] }
  const claims = face.peek<VolumeClaimObject>('', 'persistentvolumeclaims')
  const volumes = face.peek<VolumeObject>('', 'persistentvolumes')
  const classes = face.peek<StorageClassObject>('storage.k8s.io', 'storageclasses')
  const checks: Array<VolumeCheck> = []
  const unbound: Array<VolumeClaimObject> = []
  for (const name of podClass.claimNames) {
    const claim = claims.get(name, podClass.namespace)
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) {
      const state = claim === undefined ? 'not found' : 'is being deleted'
      return { _tag: 'Blocked', message: `persistentvolumeclaim "${name}" ${state}` }
    }
    const volumeName = claim.spec.volumeName ?? ''
    if (volumeName !== '') {
      const required = volumes.get(volumeName)?.spec.nodeAffinity?.required
      if (required !== undefined) checks.push((node) => (reaches(required, node) ? undefined : affinityConflict))
      continue
    }
    const storageClass = classes.get(claim.spec.storageClassName ?? '')
    if (storageClass?.volumeBindingMode !== 'WaitForFirstConsumer') {
      return { _tag: 'Blocked', message: 'pod has unbound immediate PersistentVolumeClaims' }
    }
    unbound.push(claim)
    const topologies = storageClass.allowedTopologies ?? []
    if (topologies.length > 0) {
      checks.push((node) => (isAllowed(topologies, node) ? undefined : noVolumeHere))
    }
  }
  const check: VolumeCheck = (node) => {
    for (const one of checks) {
      const rejection = one(node)
      if (rejection !== undefined) return rejection
    }
    return undefined
  }
  return { _tag: 'Ready', check: checks.length === 0 ? undefined : check, unbound }
}

const reaches = (
  required: NonNullable<NonNullable<VolumeObject['spec']['nodeAffinity']>['required']>,
  node: NodeState,
) => meetsNodeSelector(required, node.labels, node.name)

const isAllowed = (topologies: NonNullable<StorageClassObject['allowedTopologies']>, node: NodeState) =>
  topologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => {
      const value = node.label(key)
      return value !== undefined && values.includes(value)
    }),
  )
