import { refTo, type Face } from '../../face.ts'
import { canonicalText, shortHash } from '../canonical.ts'
import type { ControllerRevisionObject, PodObject, PodTemplate, StatefulSetObject } from '../objects.ts'
import { patchStatus } from '../patch-status.ts'
import { controllerOf, controllerReference } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { isConflict, unlessGone } from '../status-error.ts'
import { revisionOf } from './stateful-pods.ts'

const hashLabel = 'controller.kubernetes.io/hash'

/** The revisions between which a StatefulSet rolls; the same one twice when it is not rolling. */
export interface RollingRevisions {
  readonly current: ControllerRevisionObject
  readonly update: ControllerRevisionObject
}

/** The ControllerRevision objects of StatefulSets: what each template was, in order of use. */
export interface TemplateRevisions {
  /** Those of a set's present state; makes the one of a new template. */
  readonly ensure: (set: StatefulSetObject) => Promise<RollingRevisions>
  /** Deletes those that no pod has and that are beyond the limit, the lowest first. */
  readonly prune: (set: StatefulSetObject, live: RollingRevisions, pods: ReadonlyArray<PodObject>) => Promise<void>
}

/**
 * Keeps the revisions of StatefulSets.
 *
 * A template that comes back takes its old revision object, with the next number.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#revision-history
 */
export const templateRevisions = (face: Face): TemplateRevisions => {
  const revisions = face.peek<ControllerRevisionObject>('apps', 'controllerrevisions')

  /** Lowest first. */
  const ownRevisions = (set: StatefulSetObject): ReadonlyArray<ControllerRevisionObject> =>
    [...revisions.ownedBy(set.metadata.uid)]
      .filter((revision) => controllerOf(revision)?.uid === set.metadata.uid)
      .sort((a, b) => (a.revision ?? 0) - (b.revision ?? 0))

  const create = async (set: StatefulSetObject, number: number): Promise<ControllerRevisionObject> => {
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
      if (isCollision) await patchStatus(face, refs.statefulSets, set, { collisionCount: collisions + 1 })
      throw error
    }
  }

  const ensureUpdate = async (set: StatefulSetObject): Promise<ControllerRevisionObject> => {
    const own = ownRevisions(set)
    const wanted = canonicalText(revisionData(set.spec.template))
    const known = own.findLast(({ data }) => canonicalText(data) === wanted)
    const latest = own.at(-1)?.revision ?? 0
    if (known === undefined) return create(set, latest + 1)
    if (known === own.at(-1)) return known
    return face.patch(refTo(refs.controllerRevisions, known), 'merge', { revision: latest + 1 })
  }

  return {
    ensure: async (set) => {
      const update = await ensureUpdate(set)
      const current = ownRevisions(set).find(({ metadata }) => metadata.name === set.status?.currentRevision)
      return { current: current ?? update, update }
    },
    prune: async (set, { current, update }, pods) => {
      const live = new Set([current.metadata.name, update.metadata.name, ...pods.map(revisionOf)])
      const idle = ownRevisions(set).filter(({ metadata }) => !live.has(metadata.name))
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
