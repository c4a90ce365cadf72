import type { InstanceType } from '../instance/index.ts'
import type { LabelKnowledge, LabelSelector, Labels } from '../labels/index.ts'
import type { NodePool } from './node-pool.ts'
import type { Pod, TopologySpreadConstraint } from './pod.ts'
import type { StateNode } from './state-node.ts'
import type { Volumes } from './volumes.ts'

/**
 * Everything that a planner reads, at one moment.
 *
 * Readonly all the way down: a planner never writes to it, and two plans from one snapshot are equal. The order of
 * lists carries no meaning.
 */
export interface Snapshot {
  /** **Units**: milliseconds since the epoch. */
  readonly nowMs: number
  readonly settings: PlanningSettings
  readonly labelRules: LabelRules
  readonly nodePools: ReadonlyArray<NodePool>
  /** Instance types by NodePool name, overlays applied. A pool that is absent could not be evaluated (P-PRV-07). */
  readonly instanceTypes: ReadonlyMap<string, ReadonlyArray<InstanceType>>
  readonly nodes: ReadonlyArray<StateNode>
  /** Pods not bound to a node. */
  readonly pods: ReadonlyArray<Pod>
  readonly daemonSets: ReadonlyArray<DaemonSet>
  readonly podDisruptionBudgets: ReadonlyArray<PodDisruptionBudget>
  /** Namespace name → labels. */
  readonly namespaces: ReadonlyMap<string, Labels>
  readonly volumes: Volumes
}

/** Settings that change decisions; see P-CFG. */
export interface PlanningSettings {
  /** `Ignore`: preferences never constrain. `Respect`: they bind until relaxed. */
  readonly preferencePolicy: 'Respect' | 'Ignore'
  readonly minValuesPolicy: 'Strict' | 'BestEffort'
  readonly featureGates: FeatureGates
  /** Spread constraints given to pods that have none of their own (P-DTS); empty where none are configured. */
  readonly defaultTopologySpread: ReadonlyArray<TopologySpreadConstraint>
}

export interface FeatureGates {
  readonly reservedCapacity: boolean
  readonly spotToSpotConsolidation: boolean
  readonly nodeRepair: boolean
  readonly nodeOverlay: boolean
  readonly staticCapacity: boolean
  readonly capacityBuffer: boolean
  readonly terminateFirstDrift: boolean
  readonly terminateFirstRepair: boolean
  readonly podDeletionCostManagement: boolean
}

export const defaultFeatureGates: FeatureGates = {
  reservedCapacity: true,
  spotToSpotConsolidation: false,
  nodeRepair: false,
  nodeOverlay: false,
  staticCapacity: false,
  capacityBuffer: false,
  terminateFirstDrift: false,
  terminateFirstRepair: false,
  podDeletionCostManagement: false,
}

export const defaultPlanningSettings: PlanningSettings = {
  preferencePolicy: 'Respect',
  minValuesPolicy: 'Strict',
  featureGates: defaultFeatureGates,
  defaultTopologySpread: [],
}

/** What is known of label keys and what the provider says of topology and storage (P-CPI-09). */
export interface LabelRules {
  readonly knowledge: LabelKnowledge
  /** Keys that only reserved offerings define; `id` names the reservation. */
  readonly reservation?: { readonly id: string; readonly all: ReadonlyArray<string> }
  /** Topology keys that the volumes of a claim may not name, and provisioners that are refused (P-VTP-05). */
  readonly unsupportedTopologyKeys: ReadonlySet<string>
  readonly unsupportedProvisioners: ReadonlySet<string>
}

/** A workload that runs once on every node it may run on; `pod` is the shape it has there (P-DMN-01). */
export interface DaemonSet {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly pod: Pod
}

export interface PodDisruptionBudget {
  readonly namespace: string
  readonly name: string
  readonly selector?: LabelSelector
  /** As written: a count or a percentage. */
  readonly minAvailable?: string
  readonly maxUnavailable?: string
  readonly disruptionsAllowed: number
  readonly unhealthyPodEvictionPolicy: 'IfHealthyBudget' | 'AlwaysAllow'
}
