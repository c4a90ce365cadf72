import {
  decoderOf,
  identityOf,
  namespacedMetadata,
  podTemplateSchema,
  s,
  withLimitsAsRequests,
  type DeploymentObject,
  type NamespacedMetadata,
  type PersistentVolumeClaimObject,
  type PodObject,
  type PodTemplateObject,
  type ReplicaSetObject,
  type Schema,
  type StatefulSetObject,
} from '@scantling/core'

/** A Job as in a manifest, cut down to what decides how many pods it starts with. */
export interface JobObject {
  readonly metadata: NamespacedMetadata
  readonly spec: {
    readonly parallelism: number
    readonly completions?: number
    readonly template: PodTemplateObject
  }
  readonly status: { readonly startTime?: string }
}

const jobSchema: Schema<JobObject> = s.named(
  'Job',
  s.object({
    ...identityOf('batch/v1', 'Job'),
    metadata: namespacedMetadata,
    spec: s.object({
      parallelism: s.filledIn(s.integer({ minimum: 0 }), 1),
      completions: s.optional(s.integer({ minimum: 0 })),
      template: podTemplateSchema,
    }),
    status: s.filledIn(s.object({ startTime: s.optional(s.instant()) }), {}),
  }),
)

export const decodeJob = decoderOf<JobObject>(jobSchema)

/** What a workload's controller would create at first. */
export interface Expansion {
  readonly pods: ReadonlyArray<PodObject>
  readonly volumeClaims: ReadonlyArray<PersistentVolumeClaimObject>
}

const nothing: Expansion = { pods: [], volumeClaims: [] }

/**
 * The pods of a workload as its controller would create them, waiting for a place.
 *
 * A workload that comes from a live cluster (it reports replicas) has its pods there, so it expands to nothing.
 */
export const expandReplicated = (workload: DeploymentObject | ReplicaSetObject): Expansion => {
  const { metadata, spec, status } = workload
  if (status.replicas > 0) return nothing
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: metadata.name }
  return { pods: numbered(spec.replicas, 1, spec.template, metadata, owner), volumeClaims: [] }
}

/** The pods that a Job starts with; one that has started, on a live cluster, has them. */
export const expandJob = ({ metadata, spec, status }: JobObject): Expansion => {
  if (status.startTime !== undefined) return nothing
  const count = Math.min(spec.parallelism, spec.completions ?? spec.parallelism)
  return {
    pods: numbered(count, 1, spec.template, metadata, { apiVersion: 'batch/v1', kind: 'Job', name: metadata.name }),
    volumeClaims: [],
  }
}

/** Pods of a StatefulSet count from 0 and bring a claim for each of its templates. */
export const expandStatefulSet = ({ metadata, spec, status }: StatefulSetObject): Expansion => {
  if (status.replicas > 0) return nothing
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: metadata.name }
  const pods = numbered(spec.replicas, 0, spec.template, metadata, owner)
  return {
    pods: pods.map((pod) => ({
      ...pod,
      spec: {
        ...pod.spec,
        volumes: [
          ...pod.spec.volumes,
          ...spec.volumeClaimTemplates.map((template) => ({
            name: template.metadata.name,
            persistentVolumeClaim: { claimName: `${template.metadata.name}-${pod.metadata.name}` },
          })),
        ],
      },
    })),
    volumeClaims: pods.flatMap((pod) =>
      spec.volumeClaimTemplates.map((template) => ({
        apiVersion: 'v1' as const,
        kind: 'PersistentVolumeClaim' as const,
        metadata: {
          ...blankMetadata,
          name: `${template.metadata.name}-${pod.metadata.name}`,
          namespace: metadata.namespace,
        },
        spec: template.spec,
        status: { phase: 'Pending' },
      })),
    ),
  }
}

/** Of an object that no API server has stored. */
export const blankMetadata = {
  uid: '',
  resourceVersion: '',
  generation: 0,
  labels: {},
  annotations: {},
  finalizers: [],
  ownerReferences: [],
}

const numbered = (
  count: number,
  first: number,
  template: PodTemplateObject,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  owner: { readonly apiVersion: string; readonly kind: string; readonly name: string },
): ReadonlyArray<PodObject> => {
  const spec = withLimitsAsRequests(template.spec)
  return Array.from({ length: count }, (_, index): PodObject => {
    const podName = `${name}-${first + index}`
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...blankMetadata,
        name: podName,
        namespace,
        // Ties among equal pods are broken by uid: zeros keep them in the order of their numbers.
        uid: `${name}-${String(index).padStart(8, '0')}`,
        labels: template.metadata.labels,
        annotations: template.metadata.annotations,
        ownerReferences: [{ ...owner, uid: '', controller: true }],
      },
      spec,
      status: waiting,
    }
  })
}

const waiting: PodObject['status'] = {
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '' }],
  containerStatuses: [],
  initContainerStatuses: [],
}

/** A pod from a file as the scheduler would leave it without a node; one from a live cluster stays as it is. */
export const asWaiting = (pod: PodObject): PodObject =>
  pod.spec.nodeName !== undefined || pod.status.conditions.length > 0 || pod.status.phase !== 'Pending'
    ? pod
    : {
        ...pod,
        metadata: { ...pod.metadata, uid: pod.metadata.uid === '' ? pod.metadata.name : pod.metadata.uid },
        spec: withLimitsAsRequests(pod.spec),
        status: waiting,
      }
