import type { MetricFamily } from './metrics.ts'

const family = <const L extends string = never>(
  type: MetricFamily['type'],
  name: string,
  help: string,
  labels: ReadonlyArray<L> = [],
  rest: Pick<MetricFamily, 'buckets' | 'percentiles' | 'perObject'> = {},
): MetricFamily<L> => ({ type, name, help, labels, ...rest })

/** The reference's shared bucket set for durations, in seconds: 5 ms to 600 s. */
export const durationBuckets: ReadonlyArray<number> = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60, 120, 180, 300, 450, 600,
]

const exponential = (first: number, factor: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => first * factor ** index)

const daysToSeconds = 86_400
const lifetimeBuckets = [
  900,
  1800,
  2700,
  3600,
  7200,
  14_400,
  21_600,
  28_800,
  36_000,
  43_200,
  50_400,
  57_600,
  64_800,
  72_000,
  79_200,
  daysToSeconds,
  2 * daysToSeconds,
  5 * daysToSeconds,
  10 * daysToSeconds,
  20 * daysToSeconds,
  30 * daysToSeconds,
]

const disruptionLabels = ['reason', 'nodepool', 'capacity_type', 'consolidation_policy', 'termination_mode'] as const

/**
 * The metric families of the controller, with the reference's names, labels and buckets.
 *
 * Source: parity rows M-* and section 2.1. What controller-runtime and client-go contribute there is named as they do.
 */
export const families = {
  buildInfo: family('gauge', 'karpenter_build_info', 'Version and commit of the running controller', [
    'version',
    'goversion',
    'goarch',
    'commit',
  ]),

  nodeClaimsCreated: family('counter', 'karpenter_nodeclaims_created_total', 'NodeClaims created', [
    'reason',
    'nodepool',
    'min_values_relaxed',
  ]),
  nodeClaimsTerminated: family('counter', 'karpenter_nodeclaims_terminated_total', 'NodeClaims terminated', [
    'nodepool',
    'capacity_type',
    'zone',
  ]),
  nodeClaimsDisrupted: family(
    'counter',
    'karpenter_nodeclaims_disrupted_total',
    'NodeClaims disrupted',
    disruptionLabels,
  ),
  nodeClaimsUnhealthyDisrupted: family(
    'counter',
    'karpenter_nodeclaims_unhealthy_disrupted_total',
    'NodeClaims disrupted because their node was unhealthy',
    ['condition', 'nodepool', 'capacity_type', 'image_id'],
  ),
  nodeClaimsInstanceTerminationDuration: family(
    'histogram',
    'karpenter_nodeclaims_instance_termination_duration_seconds',
    'Time from the request to end an instance until it was gone',
    ['nodepool'],
    { buckets: exponential(1, 2, 11) },
  ),
  nodeClaimsTerminationDuration: family(
    'histogram',
    'karpenter_nodeclaims_termination_duration_seconds',
    'Time from the deletion of a NodeClaim until it was gone',
    ['nodepool'],
    { buckets: exponential(1, 2, 12) },
  ),
  nodesCreated: family('counter', 'karpenter_nodes_created_total', 'Nodes that registered', ['nodepool', 'zone']),
  nodesTerminated: family('counter', 'karpenter_nodes_terminated_total', 'Nodes terminated', ['nodepool', 'zone']),
  nodesTerminationDuration: family(
    'summary',
    'karpenter_nodes_termination_duration_seconds',
    'Time from the deletion of a Node until it was gone',
    ['nodepool'],
    { percentiles: [0, 0.5, 0.9, 0.99, 1] },
  ),
  nodesDrained: family('counter', 'karpenter_nodes_drained_total', 'Nodes drained', ['nodepool']),
  nodesLifetimeDuration: family(
    'histogram',
    'karpenter_nodes_lifetime_duration_seconds',
    'How long nodes lived',
    ['nodepool'],
    { buckets: lifetimeBuckets },
  ),

  disruptionEvaluationDuration: family(
    'histogram',
    'karpenter_voluntary_disruption_decision_evaluation_duration_seconds',
    'Time that a disruption method took',
    ['reason', 'consolidation_type'],
    { buckets: durationBuckets },
  ),
  disruptionDecisions: family(
    'counter',
    'karpenter_voluntary_disruption_decisions_total',
    'Disruption decisions carried out',
    ['decision', 'reason', 'consolidation_type'],
  ),
  disruptionDecisionsByNodePool: family(
    'counter',
    'karpenter_voluntary_disruption_decisions_by_nodepool_total',
    'Disruption decisions carried out, once for each NodePool that they touch',
    ['nodepool', 'decision', 'reason', 'consolidation_type'],
  ),
  disruptionConsolidationTimeouts: family(
    'counter',
    'karpenter_voluntary_disruption_consolidation_timeouts_total',
    'Searches for a consolidation that ended at their bound',
    ['consolidation_type'],
  ),
  disruptionQueueFailures: family(
    'counter',
    'karpenter_voluntary_disruption_queue_failures_total',
    'Replacements that were not up when their disruption was given up',
    ['decision', 'reason', 'consolidation_type'],
  ),
  disruptionEligibleNodes: family(
    'gauge',
    'karpenter_voluntary_disruption_eligible_nodes',
    'Nodes that may be disrupted, by reason',
    ['reason'],
  ),
  disruptionFailedValidations: family(
    'counter',
    'karpenter_voluntary_disruption_failed_validations_total',
    'Decisions that no longer held after the wait',
    ['consolidation_type'],
  ),
  consolidationScore: family(
    'histogram',
    'karpenter_consolidation_score',
    'What moves of Balanced NodePools are worth: share of the savings over share of the disruption',
    ['decision', 'nodepool', 'policy'],
    { buckets: [0.1, 0.25, 0.33, 0.5, 1, 2, 5, 10] },
  ),
  consolidationMoves: family(
    'counter',
    'karpenter_consolidation_moves_total',
    'Moves that consolidation decided about, once for each NodePool that they touch',
    ['decision', 'nodepool', 'policy'],
  ),
  interruptionReceived: family(
    'counter',
    'karpenter_interruption_received_messages_total',
    'Messages of the cloud about its machines',
    ['message_type'],
  ),
  interruptionDeleted: family(
    'counter',
    'karpenter_interruption_deleted_messages_total',
    'Messages of the cloud that were acted on and acknowledged',
  ),
  interruptionQueueDuration: family(
    'histogram',
    'karpenter_interruption_message_queue_duration_seconds',
    'Time that messages of the cloud waited to be received',
    [],
    { buckets: durationBuckets },
  ),
  nodePoolsAllowedDisruptions: family(
    'gauge',
    'karpenter_nodepools_allowed_disruptions',
    'Nodes that budgets allow to be disrupted now',
    ['nodepool', 'reason'],
  ),
  nodePoolsConsumingBudgets: family(
    'gauge',
    'karpenter_nodepools_nodes_consuming_budgets',
    'Nodes that are going or not Ready, and so use up budgets',
    ['nodepool', 'reason'],
  ),
  nodePoolsLimit: family('gauge', 'karpenter_nodepools_limit', 'Limits of a NodePool', ['resource_type', 'nodepool']),
  nodePoolsUsage: family('gauge', 'karpenter_nodepools_usage', 'Resources that a NodePool provides', [
    'resource_type',
    'nodepool',
  ]),
  nodePoolsCost: family('gauge', 'karpenter_nodepools_cost_total', 'Price per hour of a NodePool', ['nodepool']),

  clusterStateNodeCount: family('gauge', 'karpenter_cluster_state_node_count', 'Nodes known to the controller'),
  clusterStateSynced: family('gauge', 'karpenter_cluster_state_synced', '1 when the caches mirror the cluster'),
  clusterStateUnsyncedTime: family(
    'gauge',
    'karpenter_cluster_state_unsynced_time_seconds',
    'For how long planning is held up by claims without a machine',
  ),
  clusterUtilization: family('gauge', 'karpenter_cluster_utilization_percent', 'Pod requests over allocatable', [
    'resource_type',
  ]),

  podsState: family('gauge', 'karpenter_pods_state', 'Pods as they are', [
    'name',
    'namespace',
    'owner',
    'node',
    'scheduled',
    'nodepool',
    'zone',
    'arch',
    'capacity_type',
    'instance_type',
    'phase',
    'ready',
    'managed',
  ]),
  podsUnstartedTime: family(
    'gauge',
    'karpenter_pods_unstarted_time_seconds',
    'How long a pod waits to be ready',
    ['name', 'namespace'],
    { perObject: true },
  ),
  podsUnboundTime: family(
    'gauge',
    'karpenter_pods_unbound_time_seconds',
    'How long a pod waits for a node',
    ['name', 'namespace'],
    { perObject: true },
  ),
  podsStartupDuration: family(
    'summary',
    'karpenter_pods_startup_duration_seconds',
    'Time from creation to running',
    [],
    {
      percentiles: [0, 0.5, 0.9, 0.99, 1],
    },
  ),
  podsBoundDuration: family('histogram', 'karpenter_pods_bound_duration_seconds', 'Time from creation to binding', [], {
    buckets: durationBuckets,
  }),
  podsProvisioningBoundDuration: family(
    'histogram',
    'karpenter_pods_provisioning_bound_duration_seconds',
    'Time from finding a place for a pod to its binding',
    [],
    { buckets: durationBuckets },
  ),
  podsProvisioningUnboundTime: family(
    'gauge',
    'karpenter_pods_provisioning_unbound_time_seconds',
    'How long a pod for which there is a place waits to be bound',
    ['name', 'namespace'],
    { perObject: true },
  ),
  podsProvisioningUnstartedTime: family(
    'gauge',
    'karpenter_pods_provisioning_unstarted_time_seconds',
    'How long a pod for which there is a place waits to be ready',
    ['name', 'namespace'],
    { perObject: true },
  ),
  podsProvisioningStartupDuration: family(
    'histogram',
    'karpenter_pods_provisioning_startup_duration_seconds',
    'Time from finding a place for a pod to its being ready',
    [],
    { buckets: durationBuckets },
  ),
  podsSchedulingUndecidedTime: family(
    'gauge',
    'karpenter_pods_provisioning_scheduling_undecided_time_seconds',
    'How long a pod waits to be decided on',
    ['name', 'namespace'],
    { perObject: true },
  ),
  podsSchedulingDecisionDuration: family(
    'histogram',
    'karpenter_pods_scheduling_decision_duration_seconds',
    'Time from first seeing a pod to deciding on it',
    [],
    { buckets: durationBuckets },
  ),
  podsEvictionRequests: family('counter', 'karpenter_pods_eviction_requests_total', 'Evictions asked for', ['code']),
  podsDrained: family('counter', 'karpenter_pods_drained_total', 'Pods that drains removed', ['reason']),
  podsDisruptionInitiated: family(
    'counter',
    'karpenter_pods_disruption_initiated_total',
    'Pods on nodes whose disruption began',
    disruptionLabels,
  ),

  schedulerDuration: family(
    'histogram',
    'karpenter_scheduler_scheduling_duration_seconds',
    'Time that planning took',
    ['controller'],
    { buckets: durationBuckets },
  ),
  schedulerQueueDepth: family('gauge', 'karpenter_scheduler_queue_depth', 'Pods of the plan that is being made', [
    'controller',
    'scheduling_id',
  ]),
  schedulerUnfinishedWork: family(
    'gauge',
    'karpenter_scheduler_unfinished_work_seconds',
    'How long the plan that is being made has taken',
    ['controller', 'scheduling_id'],
  ),
  schedulerIgnoredPods: family('gauge', 'karpenter_scheduler_ignored_pods_count', 'Pending pods left out of planning'),
  schedulerUnschedulablePods: family(
    'gauge',
    'karpenter_scheduler_unschedulable_pods_count',
    'Pods that the last plan could not place',
    ['controller'],
  ),

  cloudProviderDuration: family(
    'histogram',
    'karpenter_cloudprovider_duration_seconds',
    'Time that calls to the provider took',
    ['controller', 'method', 'provider'],
  ),
  cloudProviderErrors: family('counter', 'karpenter_cloudprovider_errors_total', 'Calls to the provider that failed', [
    'controller',
    'method',
    'provider',
    'error',
  ]),

  instanceTypeCpu: family(
    'gauge',
    'karpenter_cloudprovider_instance_type_cpu_cores',
    'Processors of an instance type',
    ['instance_type'],
  ),
  instanceTypeMemory: family(
    'gauge',
    'karpenter_cloudprovider_instance_type_memory_bytes',
    'Memory of an instance type',
    ['instance_type'],
  ),
  offeringAvailable: family(
    'gauge',
    'karpenter_cloudprovider_instance_type_offering_available',
    '1 while some NodePool may buy the offering',
    ['instance_type', 'capacity_type', 'zone'],
  ),
  offeringPrice: family(
    'gauge',
    'karpenter_cloudprovider_instance_type_offering_price_estimate',
    'Price per hour of an offering',
    ['instance_type', 'capacity_type', 'zone'],
  ),

  reconcileTotal: family('counter', 'controller_runtime_reconcile_total', 'Passes of a controller', [
    'controller',
    'result',
  ]),
  reconcileErrors: family('counter', 'controller_runtime_reconcile_errors_total', 'Passes that failed as expected', [
    'controller',
  ]),
  reconcilePanics: family('counter', 'controller_runtime_reconcile_panics_total', 'Passes that failed by a bug', [
    'controller',
  ]),
  reconcileTime: family(
    'histogram',
    'controller_runtime_reconcile_time_seconds',
    'Time that passes took',
    ['controller'],
    { buckets: durationBuckets },
  ),
  activeWorkers: family('gauge', 'controller_runtime_active_workers', 'Passes in flight', ['controller']),
  workQueueDepth: family('gauge', 'workqueue_depth', 'Keys that wait for a pass', ['name']),
  restClientRequests: family('counter', 'rest_client_requests_total', 'Requests to the API server', ['method', 'code']),
  leaderElectionStatus: family('gauge', 'leader_election_master_status', '1 while this replica leads', ['name']),

  listWatchMissedEvents: family(
    'gauge',
    'scantling_watch_missed_events',
    'Changes that a periodic check found and the watch had not brought; anything but 0 is a bug',
    ['resource'],
  ),
  listWatchFailures: family('gauge', 'scantling_watch_failures', 'Lists and watches that failed', ['resource']),
  listWatchLists: family('gauge', 'scantling_watch_lists', 'Full lists taken', ['resource']),
  eventLoopDelay: family(
    'gauge',
    'scantling_event_loop_delay_seconds',
    'Delay of the event loop in the last interval',
    ['quantile'],
  ),
  memoryResident: family('gauge', 'process_resident_memory_bytes', 'Memory of the process as the kernel counts it'),
  processCpu: family('counter', 'process_cpu_seconds_total', 'CPU time of the process, user and system'),
  memoryPressure: family(
    'gauge',
    'scantling_memory_pressure',
    '1 while memory is above its soft limit, so that work is held back',
  ),
  eventsDropped: family('counter', 'scantling_events_dropped_total', 'Events not written, by cause', ['cause']),
} as const
