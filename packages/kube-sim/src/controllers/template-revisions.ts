import { refTo, type Face, type KubeObject, type ResourceRef } from '../face.ts'
import { canonicalText, shortHash } from './canonical.ts'
import type { ControllerRevisionObject, PodTemplate } from './objects.ts'
import { patchStatus } from './patch-status.ts'
import { controllerOf, controllerReference } from './pod-state.ts'
import { refs } from './refs.ts'
import { isConflict, unlessGone } from './status-error.ts'

/** A workload that keeps what its template was. */
interface RevisedObject extends KubeObject {
  readonly spec: { readonly template?: PodTemplate; readonly revisionHistoryLimit?: number }
  readonly status?: { readonly collisionCount?: number }
}

/** The ControllerRevision objects of workloads of one kind: what each template was, in order of use. */
export interface TemplateRevisions {
  /** That of the present template, made where it is new. */
  readonly ensure: (set: RevisedObject) => Promise<ControllerRevisionObject>
  readonly named: (set: RevisedObject, name: string | undefined) => ControllerRevisionObject | undefined
  /** Deletes those that are not live and beyond the limit, the lowest first. */
  readonly prune: (set: RevisedObject, isLive: (revision: ControllerRevisionObject) => boolean) => Promise<void>
}

/**
 * Keeps the revisions of the workloads of one resource, whose objects bear the hash of their template in a label.
 *
 * A template that comes back takes its old revision object, with the next number.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#revision-history
 */
export const templateRevisions = (face: Face, ref: ResourceRef, hashLabel: string): TemplateRevisions => {
  const revisions = face.peek<ControllerRevisionObject>('apps', 'controllerrevisions')

  /** Lowest first. */
  const ownRevisions = (set: RevisedObject): ReadonlyArray<ControllerRevisionObject> =>
    [...revisions.ownedBy(set.metadata.uid)]
      .filter((revision) => controllerOf(revision)?.uid === set.metadata.uid)
      .sort((a, b) => (a.revision ?? 0) - (b.revision ?? 0))

  const create = async (set: RevisedObject, number: number): Promise<ControllerRevisionObject> => {
    const { metadata, spec, status } = set
    const collisions = status?.collisionCount ?? 0
    const data = revisionData(spec.template)
    const hash = shortHash(`${canonicalText(data)}${collisions === 0 ? '' : collisions}`)
    const name = `${metadata.name}-${hash}`
    try {
      return await face.create<ControllerRevisionObject>(
        { ...refs.controllerRevisions, namespace: metadata.namespace ?? '' },
        {
          apiVersion: 'apps/v1',
          kind: 'ControllerRevision',
          metadata: {
            name,
            namespace: metadata.namespace ?? '',
            labels: { ...spec.template?.metadata?.labels, [hashLabel]: hash },
            ownerReferences: [controllerReference(set)],
          },
          data,
          revision: number,
        },
      )
    } catch (error) {
      // Another template of the same hash, or a revision that is not ours: the next try takes another name.
      const isCollision = isConflict(error) && revisions.get(name, metadata.namespace) !== undefined
      if (isCollision) await patchStatus(face, ref, set, { collisionCount: collisions + 1 })
      throw error
    }
  }

  return {
    ensure: async (set) => {
      const own = ownRevisions(set)
      const wanted = canonicalText(revisionData(set.spec.template))
      const known = own.findLast(({ data }) => canonicalText(data) === wanted)
      const latest = own.at(-1)?.revision ?? 0
      if (known === undefined) return create(set, latest + 1)
      if (known === own.at(-1)) return known
      return face.patch(refTo(refs.controllerRevisions, known), 'merge', { revision: latest + 1 })
    },
    named: (set, name) => ownRevisions(set).find(({ metadata }) => metadata.name === name),
    prune: async (set, isLive) => {
      const idle = ownRevisions(set).filter((revision) => !isLive(revision))
      for (const revision of idle.slice(0, Math.max(idle.length - (set.spec.revisionHistoryLimit ?? 10), 0))) {
        await unlessGone(face.delete(refTo(refs.controllerRevisions, revision)))
      }
    },
  }
}

/** The template in a revision. */
export const templateOf = ({ data }: ControllerRevisionObject): PodTemplate => {
  const { $patch: _patch, ...template } = (data?.spec?.template ?? {}) as PodTemplate & { readonly $patch?: string }
  return template
}

// A patch, so that `kubectl rollout undo` can send it as it is.
const revisionData = (template: PodTemplate | undefined) => ({ spec: { template: { ...template, $patch: 'replace' } } })
