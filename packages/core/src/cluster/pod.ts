import type { LabelSelector, Labels } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import type { RequirementSpec } from '../requirements/index.ts'
import type { Toleration } from '../taints/index.ts'

/** A pod as planners read it. */
export interface Pod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly labels: Labels
  readonly createdAtMs: number
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  /** The node it is bound to. */
  readonly nodeName?: string
  /** The node that preemption is making room on. */
  readonly nominatedNodeName?: string
  /** Whether the scheduler reported the pod unschedulable (PodScheduled with reason Unschedulable). */
  readonly isUnschedulable: boolean
  readonly isReady: boolean
  readonly deletionTimestampMs?: number
  /** The controlling owner, if any. */
  readonly owner?: PodOwner
  /** Run by a kubelet from a file, not by the API server. */
  readonly isMirror: boolean
  readonly priority: number
  /** What the scheduler reserves for it, by the rules of P-RES-01; `pods: 1` included. */
  readonly requests: ResourceList
  /** One object for all pods of equal constraints within one ingest, so that planners can class pods by identity. */
  readonly constraints: PodConstraints
  readonly disruption: PodDisruption
  /** `namespace/name` of the CapacityBuffer whose placeholder it is: no such pod exists (P-CBC-05). */
  readonly buffer?: string
}

export interface PodOwner {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

/** What the pod says about being moved. */
export interface PodDisruption {
  /** `karpenter.sh/do-not-disrupt`: for ever, or for this long from the pod's start; not started yet counts as active (P-02). */
  readonly doNotDisrupt?: { readonly forMs?: number; readonly sinceMs?: number }
  /** `karpenter.sh/disruption-cost`; 0 where it cannot be read. Set, it counts instead of `deletionCost`. */
  readonly disruptionCost?: number
  /** `controller.kubernetes.io/pod-deletion-cost`; 0 where it cannot be read. */
  readonly deletionCost: number
  readonly terminationGracePeriodSeconds?: number
}

/** Where a pod may run, from its spec alone. */
export interface PodConstraints {
  readonly nodeSelector: Labels
  /** Terms are alternatives; the expressions of one hold together. Empty: no required node affinity. */
  readonly requiredNodeTerms: ReadonlyArray<NodeSelectorTerm>
  readonly preferredNodeTerms: ReadonlyArray<{ readonly weight: number; readonly term: NodeSelectorTerm }>
  readonly tolerations: ReadonlyArray<Toleration>
  readonly topologySpread: ReadonlyArray<TopologySpreadConstraint>
  readonly podAffinity: PodAffinity
  readonly podAntiAffinity: PodAffinity
  readonly hostPorts: ReadonlyArray<HostPort>
  readonly volumes: ReadonlyArray<VolumeReference>
  /** Whether the pod claims devices by dynamic resource allocation, which is not planned (P-QUE-07). */
  readonly usesDynamicResources: boolean
}

export interface NodeSelectorTerm {
  readonly expressions: ReadonlyArray<RequirementSpec>
  /** matchFields are not supported for provisioning (P-ELG-07). */
  readonly hasMatchFields: boolean
}

export interface PodAffinity {
  readonly required: ReadonlyArray<PodAffinityTerm>
  readonly preferred: ReadonlyArray<{ readonly weight: number; readonly term: PodAffinityTerm }>
}

export interface PodAffinityTerm {
  readonly topologyKey: string
  /** Absent: selects nothing. Kept as written, since a selector that does not parse selects nothing (P-TOP-11). */
  readonly labelSelector?: LabelSelector
  readonly namespaces: ReadonlyArray<string>
  readonly namespaceSelector?: LabelSelector
}

export interface TopologySpreadConstraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'
  readonly labelSelector?: LabelSelector
  readonly matchLabelKeys: ReadonlyArray<string>
  readonly minDomains?: number
  /** Default Honor. */
  readonly nodeAffinityPolicy: 'Honor' | 'Ignore'
  /** Default Ignore. */
  readonly nodeTaintsPolicy: 'Honor' | 'Ignore'
}

export interface HostPort {
  /** `0.0.0.0` where the pod names none. */
  readonly ip: string
  readonly port: number
  readonly protocol: string
}

/** A volume that goes through a PersistentVolumeClaim of the pod's namespace. */
export interface VolumeReference {
  readonly volumeName: string
  /** For ephemeral volumes, `<pod>-<volume>`. */
  readonly claimName: string
  readonly ephemeral?: { readonly storageClassName?: string }
}

/**
 * `namespace/name`, how pods are named in plans.
 *
 * @example
 * podKey({ namespace: 'default', name: 'web-0' }) // => 'default/web-0'
 */
export const podKey = (pod: { readonly namespace: string; readonly name: string }): string =>
  `${pod.namespace}/${pod.name}`
