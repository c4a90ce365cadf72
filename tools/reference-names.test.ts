import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { parseSettings } from '@scantling/controller'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { root } from './step.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** By name, with the labels; what is not reported stands in docs/operations.md. */
const metrics: Readonly<Record<string, string>> = {
  karpenter_build_info: 'version goversion goarch commit',
  karpenter_voluntary_disruption_decision_evaluation_duration_seconds: 'reason consolidation_type',
  karpenter_voluntary_disruption_decisions_total: 'decision reason consolidation_type',
  karpenter_voluntary_disruption_decisions_by_nodepool_total: 'nodepool decision reason consolidation_type',
  karpenter_voluntary_disruption_eligible_nodes: 'reason',
  karpenter_voluntary_disruption_consolidation_timeouts_total: 'consolidation_type',
  karpenter_voluntary_disruption_failed_validations_total: 'consolidation_type',
  karpenter_voluntary_disruption_queue_failures_total: 'decision reason consolidation_type',
  karpenter_nodepools_allowed_disruptions: 'nodepool reason',
  karpenter_nodepools_nodes_consuming_budgets: 'nodepool reason',
  karpenter_consolidation_score: 'decision nodepool policy',
  karpenter_consolidation_moves_total: 'decision nodepool policy',
  karpenter_nodeclaims_created_total: 'reason nodepool min_values_relaxed',
  karpenter_nodeclaims_terminated_total: 'nodepool capacity_type zone',
  karpenter_nodeclaims_disrupted_total: 'reason nodepool capacity_type consolidation_policy termination_mode',
  karpenter_nodeclaims_unhealthy_disrupted_total: 'condition nodepool capacity_type image_id',
  karpenter_nodeclaims_instance_termination_duration_seconds: 'nodepool',
  karpenter_nodeclaims_termination_duration_seconds: 'nodepool',
  karpenter_nodes_created_total: 'nodepool zone',
  karpenter_nodes_terminated_total: 'nodepool zone',
  karpenter_nodes_termination_duration_seconds: 'nodepool',
  karpenter_nodes_drained_total: 'nodepool',
  karpenter_nodes_lifetime_duration_seconds: 'nodepool',
  karpenter_cluster_utilization_percent: 'resource_type',
  karpenter_cluster_state_node_count: '',
  karpenter_cluster_state_synced: '',
  karpenter_cluster_state_unsynced_time_seconds: '',
  karpenter_nodepools_limit: 'resource_type nodepool',
  karpenter_nodepools_usage: 'resource_type nodepool',
  karpenter_nodepools_cost_total: 'nodepool',
  karpenter_pods_state:
    'name namespace owner node scheduled nodepool zone arch capacity_type instance_type phase ready managed',
  karpenter_pods_startup_duration_seconds: '',
  karpenter_pods_unstarted_time_seconds: 'name namespace',
  karpenter_pods_unbound_time_seconds: 'name namespace',
  karpenter_pods_provisioning_unstarted_time_seconds: 'name namespace',
  karpenter_pods_provisioning_unbound_time_seconds: 'name namespace',
  karpenter_pods_provisioning_scheduling_undecided_time_seconds: 'name namespace',
  karpenter_pods_bound_duration_seconds: '',
  karpenter_pods_provisioning_bound_duration_seconds: '',
  karpenter_pods_provisioning_startup_duration_seconds: '',
  karpenter_pods_scheduling_decision_duration_seconds: '',
  karpenter_pods_eviction_requests_total: 'code',
  karpenter_pods_drained_total: 'reason',
  karpenter_pods_disruption_initiated_total: 'reason nodepool capacity_type consolidation_policy termination_mode',
  karpenter_scheduler_scheduling_duration_seconds: 'controller',
  karpenter_scheduler_queue_depth: 'controller scheduling_id',
  karpenter_scheduler_unfinished_work_seconds: 'controller scheduling_id',
  karpenter_scheduler_ignored_pods_count: '',
  karpenter_scheduler_unschedulable_pods_count: 'controller',
  karpenter_cloudprovider_duration_seconds: 'controller method provider',
  karpenter_cloudprovider_errors_total: 'controller method provider error',
  karpenter_cloudprovider_instance_type_offering_available: 'instance_type capacity_type zone',
  karpenter_cloudprovider_instance_type_offering_price_estimate: 'instance_type capacity_type zone',
  karpenter_cloudprovider_instance_type_cpu_cores: 'instance_type',
  karpenter_cloudprovider_instance_type_memory_bytes: 'instance_type',
  karpenter_cloudprovider_instance_launch_failures_total: 'zone zone_id capacity_type reason',
  karpenter_cloudprovider_instance_termination_failures_total: 'zone zone_id',
  karpenter_cloudprovider_batcher_batch_time_seconds: 'batcher',
  karpenter_cloudprovider_batcher_batch_size: 'batcher',
  karpenter_ec2nodeclasses_userdata_bytes: 'nodeclass',
  karpenter_interruption_received_messages_total: 'message_type',
  karpenter_interruption_deleted_messages_total: '',
  karpenter_interruption_message_queue_duration_seconds: '',
  karpenter_interruption_instance_status_unhealthy_total: 'category',
  karpenter_image_selection_error_count: 'family',
  karpenter_instance_vm_create_start_total: 'image size zone capacity_type nodepool',
  karpenter_instance_vm_create_failure_total: 'image size zone capacity_type nodepool phase error_code',
  aws_sdk_go_request_total: 'service operation code',
  aws_sdk_go_request_duration_seconds: 'service operation code',
}

/** Facts of the reference that operators depend on: what their values, flags, dashboards and alerts are written with. */
describe('Names of the reference', () => {
  /** Of the reference's charts for AWS and Azure; the facts that a values file which moves over depends on. */
  test('A-HLM-01, Z-CHART-01: every value of the reference’s charts is one here, or known to be without an effect', () => {
    const top =
      'additionalAnnotations additionalClusterRoleRules additionalLabels affinity dnsConfig dnsPolicy extraVolumes fullnameOverride hostNetwork imagePullPolicy imagePullSecrets initContainers logLevel logOutputPaths nameOverride nodeSelector podAnnotations podLabels priorityClassName replicas revisionHistoryLimit schedulerName terminationGracePeriodSeconds tolerations topologySpreadConstraints'
    const within = {
      controller: 'containerName env envFrom extraVolumeMounts resources sidecarContainer sidecarVolumeMounts',
      'controller.image': 'repository tag digest',
      'controller.securityContext': 'appArmorProfile seLinuxOptions seccompProfile',
      'controller.metrics': 'port',
      'controller.healthProbe': 'port',
      podDisruptionBudget: 'name maxUnavailable',
      podSecurityContext: 'fsGroup seccompProfile',
      service: 'annotations',
      serviceAccount: 'create name annotations',
      serviceMonitor: 'enabled additionalLabels relabelings metricRelabelings endpointConfig sampleLimit',
      'strategy.rollingUpdate': 'maxUnavailable',
      settings:
        'amiRefreshInterval batchIdleDuration batchMaxDuration clusterCABundle clusterEndpoint clusterName disableClusterStateObservability disableDryRun eksControlPlane enableZonalShift ignoreDRARequests interruptionQueue isolatedVPC minValuesPolicy preferencePolicy reservedENIs subnetRefreshInterval tags vmMemoryOverheadPercent',
      'settings.featureGates':
        'capacityBuffer nodeOverlay nodeRepair reservedCapacity spotToSpotConsolidation staticCapacity',
      'settings.awsFeatureGates': 'nodeClassCEL',
    }
    const values: unknown = parse(read('deploy/chart/values.yaml'))
    const has = (name: string): boolean =>
      name
        .split('.')
        .reduce<unknown>((at, step) => (at as Readonly<Record<string, unknown>> | undefined)?.[step], values) !==
      undefined
    const wanted = [
      ...top.split(' '),
      ...Object.entries(within).flatMap(([under, names]) => names.split(' ').map((name) => `${under}.${name}`)),
    ]
    expect(wanted.filter((name) => !has(name))).toEqual([])
    // A logger without errors of its own, and a webhook that nobody serves.
    expect(['logErrorOutputPaths', 'webhook'].filter(has)).toEqual([])
  })

  /** Of the reference's core and of its providers for AWS and Azure, with their variables where those differ. */
  test('O-01, Z-OPT-01: every flag and variable of the reference is one here, or accepted without an effect', () => {
    const flags =
      'metrics-port health-probe-port kube-client-qps kube-client-burst enable-profiling disable-leader-election disable-cluster-state-observability leader-election-name leader-election-namespace memory-limit cpu-requests log-level log-output-paths batch-max-duration batch-idle-duration preference-policy min-values-policy ignore-dra-requests feature-gates scheduler-config cluster-name cluster-endpoint cluster-ca-bundle isolated-vpc eks-control-plane vm-memory-overhead-percent interruption-queue reserved-enis disable-dry-run enable-zonal-shift ami-refresh-interval subnet-refresh-interval aws-feature-gates kubelet-bootstrap-token linux-admin-username ssh-public-key network-plugin network-plugin-mode network-policy network-dataplane dns-service-ip vnet-guid vnet-subnet-id node-identities provision-mode nodebootstrapping-server-url kubelet-identity-client-id use-sig sig-access-token-server-url sig-subscription-id node-osdisk-diskencryptionset-id manage-existing-aks-machines aks-machines-pool-name provider-batch-idle-duration provider-batch-max-duration provider-batch-max-size additional-tags enable-azure-sdk-logging'
    const odd = {
      'node-resource-group': 'AZURE_NODE_RESOURCE_GROUP',
      'instance-types-file-path': 'INSTANCE_TYPES_FILE_PATH',
    }
    const variables =
      'ARM_CLOUD AZURE_ENVIRONMENT_FILEPATH LOCATION ARM_RESOURCE_GROUP AZURE_SUBSCRIPTION_ID ARM_SUBSCRIPTION_ID AZURE_TENANT_ID ARM_TENANT_ID'
    const gates =
      'NodeRepair ReservedCapacity SpotToSpotConsolidation NodeOverlay StaticCapacity CapacityBuffer NodeClassCEL'
    const named = new Map([
      ...flags.split(' ').map((flag) => [flag, flag.toUpperCase().replaceAll('-', '_')] as const),
      ...Object.entries(odd),
    ])
    const settings = read('docs/settings.md')
    const lines = settings.split('\n')
    expect(
      [...named].filter(
        ([flag, variable]) => !lines.some((line) => line.includes(`\`--${flag}\``) && line.includes(`\`${variable}\``)),
      ),
    ).toEqual([])
    expect(variables.split(' ').filter((variable) => !settings.includes(`\`${variable}\``))).toEqual([])
    expect(gates.split(' ').filter((gate) => !settings.includes(`${gate}=`))).toEqual([])
    for (const flag of ['karpenter-service', 'disable-controller-warmup', 'log-error-output-paths'])
      expect(parseSettings({ argv: [`--${flag}`, 'true'], env: {} }, undefined)).toMatchObject({
        right: { withoutEffect: [flag] },
      })
  })

  test('every event and every reason of a condition is one that the code gives', () => {
    const events =
      'DisruptionLaunching DisruptionWaitingReadiness DisruptionTerminating DisruptionBlocked Unconsolidatable ConsolidationCandidate ConsolidationRejected ConsolidationApproved NodeRepairBlocked Evicted Disrupted FailedDraining TerminationGracePeriodExpiring AwaitingVolumeDetachment FailedConsistencyCheck InsufficientCapacityError UnregisteredTaintMissing InvalidDoNotDisruptAnnotation DoNotDisruptUntil DoNotDisruptGracePeriodElapsed Nominated FailedScheduling NoCompatibleInstanceTypes Finalized WaitingOnNodeClaimTermination ZonalShiftActive ZonalShiftCleared SpotInterrupted CapacityReservationInstanceInterrupted InstanceStopping InstanceTerminating InstanceUnhealthy TerminatingOnInterruption SpotRebalanceRecommendation'
    const conditions =
      'Launched Registered Initialized Ready Consolidatable Drifted DisruptionReason Drained VolumesDetached InstanceTerminating ConsistentStateFound ValidationSucceeded NodeClassReady NodeRegistrationHealthy ReadyForProvisioning'
    const reasons =
      'LaunchFailed NodeNotFound RegistrationHookPending MultipleNodesFound NodeNotReady StartupTaintsExist KnownEphemeralTaintsExist ResourceNotRegistered NodePoolDrifted RequirementsDrifted InstanceTypeNotFound ConsistencyCheckFailed NodePoolValidationFailed NodeClassNotFound NodeClassTerminating NodeClassReadinessUnknown AwaitingReconciliation RegistrationFailed TerminationGracePeriodElapsed'
    const words = new Set(codeOf('packages').match(/(?<=['"`]|\b)[A-Z][A-Za-z]+\b/g))
    const wanted = [events, conditions, reasons].flatMap((names) => names.split(' '))
    expect(wanted.filter((name) => !words.has(name))).toEqual([])
  })

  test.each(Object.entries(metrics))('metrics have their labels: %s', (name, labels) => {
    const row = read('docs/metrics.md')
      .split('\n')
      .find((line) => line.startsWith(`| \`${name}\` |`))
    const cells = row?.split(' | ')[2] ?? 'there is no such metric'
    expect(new Set([...cells.matchAll(/`(\w+)`/g)].map(([, label]) => label))).toEqual(
      new Set(labels.split(' ').filter(Boolean)),
    )
  })
})

/** The text of all sources below a folder, tests and what they need left out. */
const codeOf = (folder: string): string =>
  readdirSync(path.join(root, folder), { withFileTypes: true })
    .map((entry) => {
      if (/^(node_modules|generated|dist|test|testing)$|\.test\.ts$/.test(entry.name)) return ''
      const file = path.join(folder, entry.name)
      if (entry.isDirectory()) return codeOf(file)
      return entry.name.endsWith('.ts') ? read(file) : ''
    })
    .join('\n')
