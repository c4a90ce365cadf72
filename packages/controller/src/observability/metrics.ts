/** A metric family: its whole name, type and label names. Registered on first use. */
export interface MetricFamily<L extends string = string> {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly help: string
  readonly labels: ReadonlyArray<L>
  readonly buckets?: ReadonlyArray<number>
  readonly percentiles?: ReadonlyArray<number>
}

/** Values of a family's labels. */
export type LabelValues<L extends string> = { readonly [K in L]: string }

export interface Metrics {
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
