import { findCondition, setCondition, timeText } from '../conditions.ts'
import type { Condition, DeploymentObject, ReplicaSetObject } from '../objects.ts'
import { rolloutBounds } from './rollout.ts'

export interface DeploymentStatusInput {
  readonly deployment: DeploymentObject
  readonly newest: ReplicaSetObject | undefined
  readonly all: ReadonlyArray<ReplicaSetObject>
  readonly nowMs: number
}

/**
 * The status of a Deployment with the conditions Available and Progressing.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
export const deploymentStatus = ({ deployment, newest, all, nowMs }: DeploymentStatusInput) => {
  const { spec, metadata, status: before } = deployment
  const wanted = spec.replicas ?? 1
  const total = (field: 'replicas' | 'readyReplicas' | 'availableReplicas') =>
    all.reduce((sum, { status }) => sum + (status?.[field] ?? 0), 0)
  const replicas = total('replicas')
  const availableReplicas = total('availableReplicas')
  const updatedReplicas = newest?.status?.replicas ?? 0
  const counts = {
    observedGeneration: metadata.generation ?? 1,
    replicas,
    updatedReplicas,
    readyReplicas: total('readyReplicas'),
    availableReplicas,
    unavailableReplicas: Math.max(all.reduce((sum, set) => sum + (set.spec.replicas ?? 1), 0) - availableReplicas, 0),
  }
  const nowText = timeText(nowMs)
  const available = { ...availability(deployment, availableReplicas), lastUpdateTime: nowText }
  const conditions = setCondition(before?.conditions, available, nowText)
  const progress = progressing(deployment, newest, counts, nowMs)
  return {
    ...counts,
    conditions: progress === undefined ? conditions : withUpdate(conditions, progress, nowText),
    isComplete: isComplete(wanted, counts),
  }
}

type Counts = Readonly<
  Record<'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'observedGeneration', number>
>

const isComplete = (wanted: number, { updatedReplicas, replicas, availableReplicas }: Counts) =>
  updatedReplicas === wanted && replicas === wanted && availableReplicas === wanted

const availability = (deployment: DeploymentObject, available: number): Condition => {
  const wanted = deployment.spec.replicas ?? 1
  // One that is recreated may be without pods, but does not pass for available then.
  const spare = deployment.spec.strategy?.type === 'Recreate' ? 0 : rolloutBounds(deployment).maxUnavailable
  return available >= wanted - spare
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
}

const progressing = (
  deployment: DeploymentObject,
  newest: ReplicaSetObject | undefined,
  counts: Counts,
  nowMs: number,
): Condition | undefined => {
  if (deployment.spec.paused === true || newest === undefined) return undefined
  const before = deployment.status
  const present = findCondition(before?.conditions, 'Progressing')
  const name = newest.metadata.name
  const say = (status: string, reason: string, message: string) => ({ type: 'Progressing', status, reason, message })
  if (isComplete(deployment.spec.replicas ?? 1, counts)) {
    return say('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`)
  }
  if (present === undefined) return say('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`)
  const hasProgressed =
    counts.updatedReplicas > (before?.updatedReplicas ?? 0) ||
    counts.readyReplicas > (before?.readyReplicas ?? 0) ||
    counts.availableReplicas > (before?.availableReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < (before?.replicas ?? 0) - (before?.updatedReplicas ?? 0) ||
    (counts.observedGeneration !== (before?.observedGeneration ?? 0) && present.reason !== 'NewReplicaSetAvailable')
  if (hasProgressed) return say('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`)
  // Once complete, a rollout does not time out when pods are lost later.
  if (present.reason === 'NewReplicaSetAvailable' && present.message?.includes(`"${name}"`) === true) return undefined
  const sinceMs = Date.parse(present.lastUpdateTime ?? present.lastTransitionTime ?? '')
  const deadlineMs = (deployment.spec.progressDeadlineSeconds ?? 600) * 1000
  return nowMs - sinceMs >= deadlineMs
    ? say('False', 'ProgressDeadlineExceeded', `ReplicaSet "${name}" has timed out progressing.`)
    : present.reason === 'NewReplicaSetAvailable'
      ? say('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`)
      : undefined
}

// Deployments tell when a condition was last confirmed, too: the deadline counts from there.
const withUpdate = (conditions: ReadonlyArray<Condition>, next: Condition, nowText: string) => {
  const present = findCondition(conditions, next.type)
  const isSame = present?.status === next.status && present.reason === next.reason && present.message === next.message
  if (isSame && next.reason === 'NewReplicaSetAvailable') return conditions
  return setCondition(conditions, next, nowText).map((condition) =>
    condition.type === next.type ? { ...condition, lastUpdateTime: nowText } : condition,
  )
}
