import { refTo } from '../../face.ts'
import { shortHash } from '../canonical.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import type { DeploymentObject, PodObject, ReplicaSetObject } from '../objects.ts'
import { compareText } from '../order.ts'
import { patchStatus } from '../patch-status.ts'
import { controllerOf, controllerReference, isTerminal, keyOf, splitKey } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { isConflict, unlessGone } from '../status-error.ts'
import { deploymentStatus } from './deployment-status.ts'
import {
  copiedAnnotations,
  desiredKey,
  hashLabel,
  latestRevision,
  maxKey,
  revisionKey,
  revisionOf,
  templateText,
} from './revisions.ts'
import { grownNewSet, proportionalSizes, rolloutBounds, shrunkOldSets, type SetCount } from './rollout.ts'

const component = 'deployment-controller'
const statusDelayMs = 20

/**
 * Rolls Deployments out through ReplicaSets.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
 */
export const startDeployments = (cluster: Cluster): Running => {
  const { face, clock, informers, events } = cluster
  const deployments = face.peek<DeploymentObject>('apps', 'deployments')
  const sets = face.peek<ReplicaSetObject>('apps', 'replicasets')
  const pods = face.peek<PodObject>('', 'pods')

  const reconcile = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const deployment = deployments.get(name, namespace)
    if (deployment === undefined) return
    if (deployment.metadata.deletionTimestamp === undefined) {
      const isPaused = deployment.spec.paused === true
      const isScaling = ownSets(deployment).some(
        (set) => sizeOf(set) > 0 && hasOtherDesired(set, deployment.spec.replicas ?? 1),
      )
      if (isPaused || isScaling) await scale(deployment)
      else if (deployment.spec.strategy?.type === 'Recreate') await recreate(deployment)
      else await roll(deployment)
    }
    await writeStatus(key)
  }

  /** Oldest first. */
  const ownSets = (deployment: DeploymentObject): ReadonlyArray<ReplicaSetObject> =>
    [...sets.ownedBy(deployment.metadata.uid)]
      .filter((set) => controllerOf(set)?.uid === deployment.metadata.uid)
      .sort(
        (a, b) =>
          compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
          revisionOf(a) - revisionOf(b) ||
          compareText(a.metadata.name, b.metadata.name),
      )

  const findNewest = (deployment: DeploymentObject): ReplicaSetObject | undefined => {
    const wanted = templateText(deployment.spec.template)
    return ownSets(deployment).find((set) => templateText(set.spec.template) === wanted)
  }
  const findOld = (deployment: DeploymentObject, newest: ReplicaSetObject | undefined) =>
    ownSets(deployment).filter((set) => set.metadata.uid !== newest?.metadata.uid)

  const resize = async (deployment: DeploymentObject, set: ReplicaSetObject, replicas: number) => {
    const wanted = deployment.spec.replicas ?? 1
    const annotations = {
      [desiredKey]: String(wanted),
      [maxKey]: String(wanted + rolloutBounds(deployment).maxSurge),
    }
    const present = set.metadata.annotations ?? {}
    const isSized = sizeOf(set) === replicas
    if (isSized && present[desiredKey] === annotations[desiredKey] && present[maxKey] === annotations[maxKey]) return
    await face.patch(refTo(refs.replicaSets, set), 'merge', { metadata: { annotations }, spec: { replicas } })
    if (isSized) return
    const verb = replicas > sizeOf(set) ? 'up' : 'down'
    const text = `Scaled ${verb} replica set ${set.metadata.name} from ${sizeOf(set)} to ${replicas}`
    events.record(deployment, 'Normal', 'ScalingReplicaSet', text, component)
  }

  /** The set of the present template, made if need be, and marked as the latest revision. */
  const ensureNewest = async (deployment: DeploymentObject): Promise<ReplicaSetObject> => {
    const newest = findNewest(deployment)
    const latest = Math.max(0, ...findOld(deployment, newest).map(revisionOf))
    if (newest !== undefined) {
      const annotations = { ...copiedAnnotations(deployment), ...latestRevision(newest, latest) }
      const present = newest.metadata.annotations ?? {}
      const minReadySeconds = deployment.spec.minReadySeconds ?? 0
      const isMarked = Object.entries(annotations).every(([key, value]) => present[key] === value)
      if (!isMarked || (newest.spec.minReadySeconds ?? 0) !== minReadySeconds) {
        await face.patch(refTo(refs.replicaSets, newest), 'merge', {
          metadata: { annotations },
          spec: { minReadySeconds },
        })
      }
      await markRevision(deployment, annotations[revisionKey] ?? '')
      return findNewest(deployment) ?? newest
    }
    const revision = String(latest + 1)
    const created = await createSet(deployment, revision)
    await markRevision(deployment, revision)
    return created
  }

  const markRevision = async (deployment: DeploymentObject, revision: string) => {
    if (deployment.metadata.annotations?.[revisionKey] === revision) return
    const annotations = { [revisionKey]: revision }
    await unlessGone(face.patch(refTo(refs.deployments, deployment), 'merge', { metadata: { annotations } }))
  }

  const createSet = async (deployment: DeploymentObject, revision: string): Promise<ReplicaSetObject> => {
    const { metadata, spec, status } = deployment
    const collisions = status?.collisionCount ?? 0
    const hash = shortHash(`${templateText(spec.template)}${collisions === 0 ? '' : collisions}`)
    const name = `${metadata.name}-${hash}`
    const labels = { ...spec.template?.metadata?.labels, [hashLabel]: hash }
    const bounds = rolloutBounds(deployment)
    const wanted = spec.replicas ?? 1
    const old = ownSets(deployment).map(countOf)
    const replicas =
      spec.strategy?.type === 'Recreate'
        ? wanted
        : grownNewSet(wanted, bounds, { name, replicas: 0, available: 0 }, old)
    try {
      const created = await face.create<ReplicaSetObject>(
        { ...refs.replicaSets, namespace: metadata.namespace ?? '' },
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          metadata: {
            name,
            namespace: metadata.namespace ?? '',
            labels,
            annotations: {
              ...copiedAnnotations(deployment),
              [revisionKey]: revision,
              [desiredKey]: String(wanted),
              [maxKey]: String(wanted + bounds.maxSurge),
            },
            ownerReferences: [controllerReference(deployment)],
          },
          spec: {
            replicas,
            minReadySeconds: spec.minReadySeconds ?? 0,
            selector: { ...spec.selector, matchLabels: { ...spec.selector?.matchLabels, [hashLabel]: hash } },
            template: { ...spec.template, metadata: { ...spec.template?.metadata, labels } },
          },
        },
      )
      if (replicas > 0) {
        const text = `Scaled up replica set ${name} from 0 to ${replicas}`
        events.record(deployment, 'Normal', 'ScalingReplicaSet', text, component)
      }
      return created
    } catch (error) {
      // Another template of the same hash, or a set that is not ours: the next try takes another name.
      const isCollision = isConflict(error) && sets.get(name, metadata.namespace) !== undefined
      if (isCollision) await patchStatus(face, refs.deployments, deployment, { collisionCount: collisions + 1 })
      throw error
    }
  }

  const roll = async (deployment: DeploymentObject) => {
    const wanted = deployment.spec.replicas ?? 1
    const bounds = rolloutBounds(deployment)
    const newest = await ensureNewest(deployment)
    const old = findOld(deployment, newest).filter((set) => sizeOf(set) > 0)
    const grown = grownNewSet(wanted, bounds, countOf(newest), old.map(countOf))
    if (grown !== sizeOf(newest)) return resize(deployment, newest, grown)
    await resize(deployment, newest, grown)
    for (const [index, { replicas }] of shrunkOldSets(wanted, bounds, countOf(newest), old.map(countOf)).entries()) {
      const set = old[index]
      if (set !== undefined && replicas !== sizeOf(set)) await resize(deployment, set, replicas)
    }
  }

  const recreate = async (deployment: DeploymentObject) => {
    const old = findOld(deployment, findNewest(deployment))
    const active = old.filter((set) => sizeOf(set) > 0)
    for (const set of active) await resize(deployment, set, 0)
    if (active.length > 0) return
    // Pods that are still shutting down keep the new ones waiting.
    for (const set of old) for (const pod of pods.ownedBy(set.metadata.uid)) if (!isTerminal(pod)) return
    const newest = await ensureNewest(deployment)
    await resize(deployment, newest, deployment.spec.replicas ?? 1)
  }

  const scale = async (deployment: DeploymentObject) => {
    const wanted = deployment.spec.replicas ?? 1
    const newest = findNewest(deployment)
    const active = ownSets(deployment).filter((set) => sizeOf(set) > 0)
    const only = active.length > 1 ? undefined : (active[0] ?? newest)
    if (only !== undefined) return resize(deployment, only, wanted)
    if (deployment.spec.strategy?.type === 'Recreate') {
      if (newest !== undefined) await resize(deployment, newest, wanted)
      return
    }
    const allowed = wanted === 0 ? 0 : wanted + rolloutBounds(deployment).maxSurge
    const sizes = proportionalSizes(active.map(countOf), allowed)
    for (const set of active) await resize(deployment, set, sizes.get(set.metadata.name) ?? 0)
  }

  const pruneHistory = async (deployment: DeploymentObject) => {
    const kept = deployment.spec.revisionHistoryLimit ?? 10
    const idle = findOld(deployment, findNewest(deployment)).filter(
      (set) => sizeOf(set) === 0 && (set.status?.replicas ?? 0) === 0 && set.metadata.deletionTimestamp === undefined,
    )
    // A set that was rolled back to is old by its age, and the newest by its revision.
    const oldestFirst = idle.sort((a, b) => revisionOf(a) - revisionOf(b))
    for (const set of oldestFirst.slice(0, Math.max(idle.length - kept, 0))) {
      await unlessGone(face.delete(refTo(refs.replicaSets, set)))
    }
  }

  const writeStatus = async (key: string) => {
    const { namespace, name } = splitKey(key)
    const deployment = deployments.get(name, namespace)
    if (deployment === undefined) return
    const newest = findNewest(deployment)
    const { isComplete, ...status } = deploymentStatus({
      deployment,
      newest,
      all: ownSets(deployment),
      nowMs: clock.nowMs(),
    })
    await patchStatus(face, refs.deployments, deployment, status)
    if (deployment.metadata.deletionTimestamp === undefined && (isComplete || deployment.spec.paused === true)) {
      await pruneHistory(deployment)
    }
    if (!isComplete && deployment.spec.paused !== true && newest !== undefined) {
      queue.addAfter(key, (deployment.spec.progressDeadlineSeconds ?? 600) * 1000)
    }
  }

  const queue = queueOf(cluster, 'deployment', reconcile)
  informers.on<DeploymentObject>(refs.deployments, ({ object }) => queue.add(keyOf(object)))
  informers.on<ReplicaSetObject>(refs.replicaSets, ({ object }) => {
    const owner = controllerOf(object)
    if (owner?.kind === 'Deployment') queue.addAfter(`${object.metadata.namespace ?? ''}/${owner.name}`, statusDelayMs)
  })
  informers.on<PodObject>(refs.pods, ({ type, object }) => {
    if (type !== 'DELETED') return
    const set = sets.byUid(controllerOf(object)?.uid ?? '')
    const owner = set === undefined ? undefined : controllerOf(set)
    const namespace = object.metadata.namespace ?? ''
    const deployment = owner === undefined ? undefined : deployments.get(owner.name, namespace)
    if (deployment?.spec.strategy?.type === 'Recreate') queue.addAfter(keyOf(deployment), statusDelayMs)
  })
  return { stop: queue.stop }
}

const sizeOf = (set: ReplicaSetObject): number => set.spec.replicas ?? 1

const countOf = (set: ReplicaSetObject): SetCount => ({
  name: set.metadata.name,
  replicas: sizeOf(set),
  available: set.status?.availableReplicas ?? 0,
})

const hasOtherDesired = (set: ReplicaSetObject, wanted: number): boolean => {
  const text = set.metadata.annotations?.[desiredKey]
  return text !== undefined && text !== String(wanted)
}
