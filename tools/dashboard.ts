/** What one panel shows: each query with the name of its series. */
interface Panel {
  readonly title: string
  readonly unit: string
  readonly queries: ReadonlyArray<readonly [expression: string, legend: string]>
}

const rate = (metric: string, by: string) => `sum by (${by}) (rate(${metric}[5m]))`
const quantile = (share: number, metric: string) =>
  `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket[5m])))`

const panels: ReadonlyArray<Panel> = [
  { title: 'Nodes', unit: 'short', queries: [['karpenter_cluster_state_node_count', 'nodes']] },
  { title: 'Price per hour', unit: 'currencyUSD', queries: [['karpenter_nodepools_cost_total', '{{nodepool}}']] },
  {
    title: 'Use of limits',
    unit: 'percentunit',
    queries: [['karpenter_nodepools_usage / karpenter_nodepools_limit', '{{nodepool}} {{resource_type}}']],
  },
  {
    title: 'Requests over allocatable',
    unit: 'percent',
    queries: [['karpenter_cluster_utilization_percent', '{{resource_type}}']],
  },
  {
    title: 'Pods that wait',
    unit: 'short',
    queries: [
      ['sum(karpenter_scheduler_unschedulable_pods_count)', 'without a place'],
      ['sum(karpenter_scheduler_ignored_pods_count)', 'left out of planning'],
    ],
  },
  {
    title: 'From pod to running, half and slowest hundredth',
    unit: 's',
    queries: [
      // A summary, which each controller works out for itself.
      ['max(karpenter_pods_startup_duration_seconds{quantile="0.5"})', 'half'],
      ['max(karpenter_pods_startup_duration_seconds{quantile="0.99"})', 'slowest hundredth'],
    ],
  },
  {
    title: 'NodeClaims created and terminated',
    unit: 'ops',
    queries: [
      [rate('karpenter_nodeclaims_created_total', 'reason'), 'created: {{reason}}'],
      [rate('karpenter_nodeclaims_terminated_total', 'nodepool'), 'terminated: {{nodepool}}'],
    ],
  },
  {
    title: 'Disruption by reason',
    unit: 'ops',
    queries: [[rate('karpenter_nodeclaims_disrupted_total', 'reason'), '{{reason}}']],
  },
  {
    title: 'Disruptions that budgets allow now',
    unit: 'short',
    queries: [['karpenter_nodepools_allowed_disruptions', '{{nodepool}} {{reason}}']],
  },
  {
    title: 'Calls to the cloud that fail',
    unit: 'ops',
    queries: [[rate('karpenter_cloudprovider_errors_total', 'method, error'), '{{method}} {{error}}']],
  },
  {
    title: 'Calls to the cloud, slowest tenth',
    unit: 's',
    queries: [
      [
        'histogram_quantile(0.9, sum by (le, method) (rate(karpenter_cloudprovider_duration_seconds_bucket[5m])))',
        '{{method}}',
      ],
    ],
  },
  {
    title: 'Time to plan, slowest tenth',
    unit: 's',
    queries: [[quantile(0.9, 'karpenter_scheduler_scheduling_duration_seconds'), 'provisioning']],
  },
]

/** A dashboard for Grafana over the metrics that are there without `--metrics-detail`. */
export const renderDashboard = (): Readonly<Record<string, string>> => ({
  'deploy/chart/files/dashboard.json': `${JSON.stringify(
    {
      title: 'Scantling',
      uid: 'scantling',
      schemaVersion: 39,
      refresh: '30s',
      time: { from: 'now-3h', to: 'now' },
      templating: { list: [{ name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' }] },
      panels: panels.map(panelOf),
    },
    undefined,
    2,
  )}\n`,
})

const [width, height, perRow] = [8, 8, 3]

const panelOf = ({ title, unit, queries }: Panel, index: number) => ({
  id: index + 1,
  type: 'timeseries',
  title,
  datasource: { type: 'prometheus', uid: '${source}' },
  gridPos: { h: height, w: width, x: (index % perRow) * width, y: Math.floor(index / perRow) * height },
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  targets: queries.map(([expr, legendFormat], at) => ({ refId: String.fromCharCode(65 + at), expr, legendFormat })),
})
