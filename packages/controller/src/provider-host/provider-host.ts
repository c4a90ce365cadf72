import type { CancelSignal, MetricSpec, ProviderHost } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import type { Log, Metrics } from '../observability/index.ts'
import type { FeatureGates } from '../settings/index.ts'

export interface ProviderHostOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly metrics: Metrics
  readonly log: Log
  readonly gates: FeatureGates
  /** The metrics that the provider declared; it may record no others. */
  readonly declared: ReadonlyArray<MetricSpec>
  readonly shutdown: CancelSignal
}

/** What the shell lends a provider. */
export const makeProviderHost = (options: ProviderHostOptions): ProviderHost => {
  const { clock, random, metrics, log, gates, shutdown } = options
  const declared = new Set(options.declared.map(({ name }) => name))
  return {
    clock: { nowMs: clock.nowMs, sleep: clock.sleep },
    random,
    gates: { ...gates },
    shutdown,
    log: (level, message, fields) => log[level](message, fields),
    record: (metric, value, labels) => {
      if (!declared.has(metric.name))
        throw new TypeError(`Metric ${metric.name} is not declared by the provider's module`)
      if (value === undefined) return metrics.remove(metric, labels)
      switch (metric.type) {
        case 'counter':
          return metrics.add(metric, labels, value)
        case 'gauge':
          return metrics.set(metric, labels, value)
        case 'histogram':
          return metrics.observe(metric, labels, value)
      }
    },
  }
}
