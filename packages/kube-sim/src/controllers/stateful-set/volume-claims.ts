import { refTo, type Face, type OwnerReference } from '../../face.ts'
import { canonicalText } from '../canonical.ts'
import type { PodObject, StatefulSetObject, VolumeClaimObject } from '../objects.ts'
import { controllerReference } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { unlessGone } from '../status-error.ts'
import { claimName, claimNames } from './stateful-pods.ts'

/** The PersistentVolumeClaims of StatefulSets' pods. */
export interface StatefulClaims {
  /** Makes those that one pod lacks; gives the names of the new ones. Errors: a claim that is still being deleted. */
  readonly ensure: (set: StatefulSetObject, ordinal: number) => Promise<ReadonlyArray<string>>
  /** Lets the claims of one pod belong to whose end is theirs: the set's, the pod's or nobody's. */
  readonly settleOwner: (set: StatefulSetObject, ordinal: number, pod: PodObject, isCondemned: boolean) => Promise<void>
}

/**
 * Keeps the claims of StatefulSets: made before their pod, and kept when it goes unless the retention policy says otherwise.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
 */
export const statefulClaims = (face: Face): StatefulClaims => {
  const claims = face.peek<VolumeClaimObject>('', 'persistentvolumeclaims')
  return {
    ensure: async (set, ordinal) => {
      const { namespace = '' } = set.metadata
      const created: Array<string> = []
      for (const { metadata, spec } of set.spec.volumeClaimTemplates ?? []) {
        const name = claimName(set, metadata?.name ?? '', ordinal)
        const known = claims.get(name, namespace)
        if (known?.metadata.deletionTimestamp !== undefined) {
          throw new Error(`Cannot use PersistentVolumeClaim "${name}": it is being deleted`)
        }
        if (known !== undefined) continue
        await face.create(
          { ...refs.volumeClaims, namespace },
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: {
              name,
              namespace,
              labels: { ...metadata?.labels, ...set.spec.selector?.matchLabels },
              ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
            },
            spec: spec ?? {},
          },
        )
        created.push(name)
      }
      return created
    },
    settleOwner: async (set, ordinal, pod, isCondemned) => {
      const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
      const owner =
        isCondemned && whenScaled === 'Delete'
          ? controllerReference(pod)
          : whenDeleted === 'Delete'
            ? controllerReference(set)
            : undefined
      for (const name of claimNames(set, ordinal).values()) {
        const claim = claims.get(name, set.metadata.namespace)
        if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) continue
        const present = claim.metadata.ownerReferences ?? []
        const others = present.filter((reference) => !isOwnKind(reference, set, pod))
        const ownerReferences = owner === undefined ? others : [...others, owner]
        if (canonicalText(ownerReferences) === canonicalText(present)) continue
        await unlessGone(
          face.patch(refTo(refs.volumeClaims, claim), 'merge', {
            metadata: { uid: claim.metadata.uid, ownerReferences },
          }),
        )
      }
    },
  }
}

const isOwnKind = ({ kind, name }: OwnerReference, set: StatefulSetObject, pod: PodObject): boolean =>
  (kind === 'StatefulSet' && name === set.metadata.name) || (kind === 'Pod' && name === pod.metadata.name)
