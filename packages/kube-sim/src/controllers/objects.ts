import type { KubeObject, ObjectMeta } from '../face.ts'

/**
 * The slices of Kubernetes objects that the controllers read, as on the wire.
 *
 * Everything is as the API server stores it: defaulted, so far as Kubernetes defaults it, but never trusted to be.
 */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
  readonly lastHeartbeatTime?: string
  readonly lastProbeTime?: string
  readonly lastUpdateTime?: string
  readonly observedGeneration?: number
}

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
  readonly timeAdded?: string
}

export interface Toleration {
  readonly key?: string
  readonly operator?: string
  readonly value?: string
  readonly effect?: string
  readonly tolerationSeconds?: number
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: ReadonlyArray<{
    readonly key: string
    readonly operator: string
    readonly values?: ReadonlyArray<string>
  }>
}

export interface NodeSelectorRequirement {
  readonly key: string
  readonly operator: string
  readonly values?: ReadonlyArray<string>
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: ReadonlyArray<NodeSelectorRequirement>
  readonly matchFields?: ReadonlyArray<NodeSelectorRequirement>
}

export interface NodeSelector {
  readonly nodeSelectorTerms?: ReadonlyArray<NodeSelectorTerm>
}

export interface PodAffinityTerm {
  readonly topologyKey: string
  readonly labelSelector?: LabelSelector
  readonly namespaces?: ReadonlyArray<string>
  readonly namespaceSelector?: LabelSelector
}

interface PodAffinityRules {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: ReadonlyArray<PodAffinityTerm>
  readonly preferredDuringSchedulingIgnoredDuringExecution?: ReadonlyArray<{
    readonly weight: number
    readonly podAffinityTerm: PodAffinityTerm
  }>
}

export interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector
    readonly preferredDuringSchedulingIgnoredDuringExecution?: ReadonlyArray<{
      readonly weight: number
      readonly preference: NodeSelectorTerm
    }>
  }
  readonly podAffinity?: PodAffinityRules
  readonly podAntiAffinity?: PodAffinityRules
}

export interface TopologySpreadConstraint {
  readonly maxSkew: number
  readonly topologyKey: string
  readonly whenUnsatisfiable: string
  readonly labelSelector?: LabelSelector
  readonly minDomains?: number
  readonly nodeAffinityPolicy?: string
  readonly nodeTaintsPolicy?: string
  readonly matchLabelKeys?: ReadonlyArray<string>
}

/** Amounts as manifests may write them: text, or a plain number. */
export type AmountsByResource = Readonly<Record<string, string | number>>

export interface Container {
  readonly name: string
  readonly image?: string
  readonly restartPolicy?: string
  readonly env?: ReadonlyArray<{ readonly name: string }>
  readonly resources?: { readonly requests?: AmountsByResource; readonly limits?: AmountsByResource }
  readonly ports?: ReadonlyArray<{
    readonly containerPort?: number
    readonly hostPort?: number
    readonly hostIP?: string
    readonly protocol?: string
  }>
}

export interface PodVolume {
  readonly name: string
  readonly persistentVolumeClaim?: { readonly claimName: string }
  readonly ephemeral?: unknown
}

export interface PodSpec {
  readonly nodeName?: string
  readonly schedulerName?: string
  readonly containers?: ReadonlyArray<Container>
  readonly initContainers?: ReadonlyArray<Container>
  readonly overhead?: AmountsByResource
  readonly resources?: { readonly requests?: AmountsByResource }
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly affinity?: Affinity
  readonly tolerations?: ReadonlyArray<Toleration>
  readonly topologySpreadConstraints?: ReadonlyArray<TopologySpreadConstraint>
  readonly priority?: number
  readonly preemptionPolicy?: string
  readonly schedulingGates?: ReadonlyArray<{ readonly name: string }>
  readonly volumes?: ReadonlyArray<PodVolume>
  readonly restartPolicy?: string
  readonly hostNetwork?: boolean
  readonly hostname?: string
  readonly subdomain?: string
  readonly terminationGracePeriodSeconds?: number
}

export interface ContainerStatus {
  readonly name: string
  readonly ready: boolean
  readonly restartCount: number
  readonly state?: {
    readonly running?: { readonly startedAt?: string }
    readonly terminated?: { readonly exitCode: number; readonly finishedAt?: string }
  }
  readonly lastState?: { readonly terminated?: { readonly exitCode: number; readonly finishedAt?: string } }
}

export interface PodStatus {
  readonly phase?: string
  readonly conditions?: ReadonlyArray<Condition>
  readonly nominatedNodeName?: string
  readonly startTime?: string
  readonly podIP?: string
  readonly containerStatuses?: ReadonlyArray<ContainerStatus>
  readonly initContainerStatuses?: ReadonlyArray<ContainerStatus>
}

export interface PodObject extends KubeObject {
  readonly spec: PodSpec
  readonly status?: PodStatus
}

export interface PodTemplate {
  readonly metadata?: Partial<ObjectMeta>
  readonly spec?: PodSpec
}

export interface NodeObject extends KubeObject {
  readonly spec?: {
    readonly unschedulable?: boolean
    readonly taints?: ReadonlyArray<Taint>
    readonly providerID?: string
  }
  readonly status?: {
    readonly capacity?: AmountsByResource
    readonly allocatable?: AmountsByResource
    readonly conditions?: ReadonlyArray<Condition>
    readonly addresses?: ReadonlyArray<{ readonly type: string; readonly address: string }>
    readonly phase?: string
  }
}

export interface ReplicaSetObject extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly minReadySeconds?: number
    readonly selector?: LabelSelector
    readonly template?: PodTemplate
  }
  readonly status?: {
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly fullyLabeledReplicas?: number
    readonly observedGeneration?: number
  }
}

/** A count, or a share of some total such as `25%`. */
export type IntOrPercent = number | string

export interface DeploymentObject extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly minReadySeconds?: number
    readonly progressDeadlineSeconds?: number
    readonly revisionHistoryLimit?: number
    readonly paused?: boolean
    readonly selector?: LabelSelector
    readonly template?: PodTemplate
    readonly strategy?: {
      readonly type?: string
      readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent }
    }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly unavailableReplicas?: number
    readonly collisionCount?: number
    readonly conditions?: ReadonlyArray<Condition>
  }
}

export interface DaemonSetObject extends KubeObject {
  readonly spec: {
    readonly minReadySeconds?: number
    readonly revisionHistoryLimit?: number
    readonly selector?: LabelSelector
    readonly template?: PodTemplate
    readonly updateStrategy?: {
      readonly type?: string
      readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent }
    }
  }
  readonly status?: Readonly<Record<string, unknown>> & { readonly collisionCount?: number }
}

export interface StatefulSetObject extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly minReadySeconds?: number
    readonly revisionHistoryLimit?: number
    readonly serviceName?: string
    readonly podManagementPolicy?: string
    readonly ordinals?: { readonly start?: number }
    readonly selector?: LabelSelector
    readonly template?: PodTemplate
    readonly volumeClaimTemplates?: ReadonlyArray<{
      readonly metadata?: Partial<ObjectMeta>
      readonly spec?: VolumeClaimObject['spec']
    }>
    readonly persistentVolumeClaimRetentionPolicy?: { readonly whenDeleted?: string; readonly whenScaled?: string }
    readonly updateStrategy?: {
      readonly type?: string
      readonly rollingUpdate?: { readonly partition?: number }
    }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly currentReplicas?: number
    readonly updatedReplicas?: number
    readonly currentRevision?: string
    readonly updateRevision?: string
    readonly collisionCount?: number
  }
}

export interface ControllerRevisionObject extends KubeObject {
  readonly revision?: number
  readonly data?: { readonly spec?: { readonly template?: PodTemplate } }
}

/** What the failure of a pod means when it meets one of these rules, of which the first that it meets counts. */
export interface PodFailureRule {
  readonly action: string
  readonly onExitCodes?: {
    readonly containerName?: string
    readonly operator: string
    readonly values: ReadonlyArray<number>
  }
  readonly onPodConditions?: ReadonlyArray<{ readonly type: string; readonly status?: string }>
}

/** Which indexes of an indexed Job, or how many of them, are enough. */
export interface SuccessRule {
  readonly succeededIndexes?: string
  readonly succeededCount?: number
}

export interface JobObject extends KubeObject {
  readonly spec: {
    readonly parallelism?: number
    readonly completions?: number
    readonly completionMode?: string
    readonly backoffLimit?: number
    readonly backoffLimitPerIndex?: number
    readonly maxFailedIndexes?: number
    readonly podFailurePolicy?: { readonly rules?: ReadonlyArray<PodFailureRule> }
    readonly successPolicy?: { readonly rules?: ReadonlyArray<SuccessRule> }
    readonly managedBy?: string
    readonly selector?: LabelSelector
    readonly activeDeadlineSeconds?: number
    readonly ttlSecondsAfterFinished?: number
    readonly suspend?: boolean
    readonly podReplacementPolicy?: string
    readonly template?: PodTemplate
  }
  readonly status?: JobStatus
}

export interface JobStatus {
  readonly active?: number
  readonly ready?: number
  readonly terminating?: number
  readonly succeeded?: number
  readonly failed?: number
  readonly completedIndexes?: string
  readonly failedIndexes?: string
  readonly uncountedTerminatedPods?: {
    readonly succeeded?: ReadonlyArray<string>
    readonly failed?: ReadonlyArray<string>
  }
  readonly startTime?: string
  readonly completionTime?: string
  readonly conditions?: ReadonlyArray<Condition>
}

export interface DisruptionBudgetObject extends KubeObject {
  readonly spec: {
    readonly selector?: LabelSelector
    readonly minAvailable?: IntOrPercent
    readonly maxUnavailable?: IntOrPercent
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly disruptionsAllowed?: number
    readonly currentHealthy?: number
    readonly desiredHealthy?: number
    readonly expectedPods?: number
    readonly disruptedPods?: Readonly<Record<string, string>>
    readonly conditions?: ReadonlyArray<Condition>
  }
}

export interface LeaseObject extends KubeObject {
  readonly spec?: { readonly renewTime?: string; readonly holderIdentity?: string }
}

export interface NamespaceObject extends KubeObject {
  readonly spec?: { readonly finalizers?: ReadonlyArray<string> }
  readonly status?: { readonly phase?: string }
}

export interface VolumeClaimObject extends KubeObject {
  readonly spec: {
    readonly volumeName?: string
    readonly storageClassName?: string
    readonly accessModes?: ReadonlyArray<string>
    readonly volumeMode?: string
    readonly resources?: { readonly requests?: AmountsByResource }
  }
  readonly status?: { readonly phase?: string }
}

export interface VolumeObject extends KubeObject {
  readonly spec: {
    readonly nodeAffinity?: { readonly required?: NodeSelector }
    readonly claimRef?: { readonly namespace?: string; readonly name?: string; readonly uid?: string }
    readonly storageClassName?: string
    readonly persistentVolumeReclaimPolicy?: string
  }
  readonly status?: { readonly phase?: string }
}

export interface StorageClassObject extends KubeObject {
  readonly provisioner?: string
  readonly reclaimPolicy?: string
  readonly volumeBindingMode?: string
  readonly allowedTopologies?: ReadonlyArray<{
    readonly matchLabelExpressions?: ReadonlyArray<{ readonly key: string; readonly values: ReadonlyArray<string> }>
  }>
}
