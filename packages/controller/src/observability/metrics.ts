/** A metric family: its whole name, type and label names. Registered on first use. */
export interface MetricFamily<L extends string = string> {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly help: string
  readonly labels: ReadonlyArray<L>
  readonly buckets?: ReadonlyArray<number>
  readonly percentiles?: ReadonlyArray<number>
  /** One series for each pod, node or claim, where the label names do not tell; see `isDetailed`. */
  readonly perObject?: true
}

/** Values of a family's labels. */
export type LabelValues<L extends string> = { readonly [K in L]: string }

export interface Metrics {
  /** Whether families of single pods, nodes and instance types are kept; else writing to them does nothing. */
  readonly hasDetail: boolean
  /** Adds to a counter. */
  readonly add: <L extends string>(family: MetricFamily<L>, labels: LabelValues<L>, value?: number) => void
  /** Sets a gauge. */
  readonly set: <L extends string>(family: MetricFamily<L>, labels: LabelValues<L>, value: number) => void
  /** Records a value in a histogram or summary. */
  readonly observe: <L extends string>(family: MetricFamily<L>, labels: LabelValues<L>, value: number) => void
  /** Drops one series. */
  readonly remove: <L extends string>(family: MetricFamily<L>, labels: LabelValues<L>) => void
  /** Calls `update` before each rendering, for gauges that nobody needs in between. Returns what stops that. */
  readonly beforeRender: (update: () => void) => () => void
  /** The whole registry in Prometheus' text format. */
  readonly render: () => Promise<string>
}

// On Azure an instance type is a size.
const detailLabels: ReadonlySet<string> = new Set(['node', 'node_name', 'pod', 'pod_name', 'instance_type', 'size'])

/**
 * Whether a family has a series for each node, pod or instance type, so that it grows with the cluster or the catalogue.
 *
 * Such families are kept with `--metrics-detail` only, under the same names and with the same labels.
 */
export const isDetailed = ({ labels, perObject }: Pick<MetricFamily, 'labels' | 'perObject'>): boolean =>
  perObject === true || labels.some((label) => detailLabels.has(label))
