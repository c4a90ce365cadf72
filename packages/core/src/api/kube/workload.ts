import { decoderOf, s, type TypeOf } from '../../schema/index.ts'
import { identityOf, labelSelectorSchema, namespacedMetadata, textByKey } from './metadata.ts'
import { podTemplateSchema } from './pod.ts'

const workloadSpec = {
  selector: s.optional(labelSelectorSchema),
  template: podTemplateSchema,
}

export const daemonSetSchema = s.named(
  'DaemonSet',
  s.object({
    ...identityOf('apps/v1', 'DaemonSet'),
    metadata: namespacedMetadata,
    spec: s.object(workloadSpec),
  }),
)
export interface DaemonSetObject extends TypeOf<typeof daemonSetSchema> {}
export const decodeDaemonSet = decoderOf<DaemonSetObject>(daemonSetSchema)

const replicated = {
  metadata: namespacedMetadata,
  spec: s.object({ ...workloadSpec, replicas: s.filledIn(s.integer({ minimum: 0 }), 1) }),
  status: s.filledIn(s.object({ replicas: s.filledIn(s.integer(), 0) }), {}),
}

export const deploymentSchema = s.named(
  'Deployment',
  s.object({ ...identityOf('apps/v1', 'Deployment'), ...replicated }),
)
export interface DeploymentObject extends TypeOf<typeof deploymentSchema> {}
export const decodeDeployment = decoderOf<DeploymentObject>(deploymentSchema)

export const replicaSetSchema = s.named(
  'ReplicaSet',
  s.object({ ...identityOf('apps/v1', 'ReplicaSet'), ...replicated }),
)
export interface ReplicaSetObject extends TypeOf<typeof replicaSetSchema> {}
export const decodeReplicaSet = decoderOf<ReplicaSetObject>(replicaSetSchema)

export const statefulSetSchema = s.named(
  'StatefulSet',
  s.object({
    ...identityOf('apps/v1', 'StatefulSet'),
    ...replicated,
    spec: s.object({
      ...workloadSpec,
      replicas: s.filledIn(s.integer({ minimum: 0 }), 1),
      volumeClaimTemplates: s.filledIn(
        s.array(
          s.object({
            metadata: s.object({ name: s.string() }),
            spec: s.filledIn(s.object({ storageClassName: s.optional(s.string()) }), {}),
          }),
        ),
        [],
      ),
    }),
  }),
)
export interface StatefulSetObject extends TypeOf<typeof statefulSetSchema> {}
export const decodeStatefulSet = decoderOf<StatefulSetObject>(statefulSetSchema)

export const serviceSchema = s.named(
  'Service',
  s.object({
    ...identityOf('v1', 'Service'),
    metadata: namespacedMetadata,
    spec: s.filledIn(s.object({ selector: s.optional(textByKey) }), {}),
  }),
)
export interface ServiceObject extends TypeOf<typeof serviceSchema> {}
export const decodeService = decoderOf<ServiceObject>(serviceSchema)

export const podDisruptionBudgetSchema = s.named(
  'PodDisruptionBudget',
  s.object({
    ...identityOf('policy/v1', 'PodDisruptionBudget'),
    metadata: namespacedMetadata,
    spec: s.filledIn(
      s.object({
        selector: s.optional(labelSelectorSchema),
        minAvailable: s.optional(s.intOrString()),
        maxUnavailable: s.optional(s.intOrString()),
        unhealthyPodEvictionPolicy: s.filledIn(s.literals(['IfHealthyBudget', 'AlwaysAllow']), 'IfHealthyBudget'),
      }),
      {},
    ),
    status: s.filledIn(
      s.object({
        disruptionsAllowed: s.filledIn(s.integer(), 0),
        currentHealthy: s.filledIn(s.integer(), 0),
        desiredHealthy: s.filledIn(s.integer(), 0),
        expectedPods: s.filledIn(s.integer(), 0),
        observedGeneration: s.filledIn(s.integer(), 0),
      }),
      {},
    ),
  }),
)
export interface PodDisruptionBudgetObject extends TypeOf<typeof podDisruptionBudgetSchema> {}
export const decodePodDisruptionBudget = decoderOf<PodDisruptionBudgetObject>(podDisruptionBudgetSchema)

/** A PodTemplate as an object of its own, as CapacityBuffers refer to it. */
export const storedPodTemplateSchema = s.named(
  'PodTemplate',
  s.object({ ...identityOf('v1', 'PodTemplate'), metadata: namespacedMetadata, template: podTemplateSchema }),
)
export interface StoredPodTemplateObject extends TypeOf<typeof storedPodTemplateSchema> {}
export const decodeStoredPodTemplate = decoderOf<StoredPodTemplateObject>(storedPodTemplateSchema)

/** What is read of a ReplicationController: which pods are its own. */
export const replicationControllerSchema = s.named(
  'ReplicationController',
  s.object({
    ...identityOf('v1', 'ReplicationController'),
    metadata: namespacedMetadata,
    spec: s.filledIn(s.object({ selector: s.optional(textByKey) }), {}),
  }),
)
export interface ReplicationControllerObject extends TypeOf<typeof replicationControllerSchema> {}
export const decodeReplicationController = decoderOf<ReplicationControllerObject>(replicationControllerSchema)
