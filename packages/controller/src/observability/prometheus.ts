import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client'
import { type LabelValues, type MetricFamily, type Metrics, isDetailed } from './metrics.ts'

type Write = (labels: LabelValues<string>, value: number) => void

/** One registered family; `write` adds, sets or observes, whichever its type does. */
interface RegisteredFamily {
  readonly type: MetricFamily['type']
  readonly write: Write
  readonly remove: (labels: LabelValues<string>) => void
}

export interface MetricsOptions {
  /** Keep families of single pods, nodes and instance types as well (default: yes). */
  readonly detail?: boolean
}

/** Metrics over a registry of prom-client; families are registered when they are first used. */
export const makeMetrics = ({ detail = true }: MetricsOptions = {}): Metrics => {
  const registry = new Registry()
  const registered = new Map<string, RegisteredFamily>()
  const updates = new Set<() => void>()

  const writeTo =
    (...types: ReadonlyArray<MetricFamily['type']>) =>
    (family: MetricFamily, labels: LabelValues<string>, value: number): void => {
      let known = registered.get(family.name)
      if (known === undefined) {
        if (!detail && isDetailed(family)) return
        known = register(family, registry)
        registered.set(family.name, known)
      }
      if (!types.includes(known.type))
        throw new TypeError(`Metric ${family.name} is a ${known.type}, not a ${types[0]}`)
      known.write(labels, value)
    }

  const addTo = writeTo('counter')
  return {
    hasDetail: detail,
    add: (family, labels, value = 1) => addTo(family, labels, value),
    set: writeTo('gauge'),
    observe: writeTo('histogram', 'summary'),
    remove: (family, labels) => registered.get(family.name)?.remove(labels),
    beforeRender: (update) => {
      updates.add(update)
      return () => void updates.delete(update)
    },
    render: () => {
      for (const update of updates) update()
      return registry.metrics()
    },
  }
}

const register = (family: MetricFamily, registry: Registry): RegisteredFamily => {
  const { type, name, help } = family
  const base = { name, help, labelNames: [...family.labels], registers: [registry] }
  switch (type) {
    case 'counter': {
      const counter = new Counter(base)
      return { type, write: (labels, value) => counter.inc(labels, value), remove: (labels) => counter.remove(labels) }
    }
    case 'gauge': {
      const gauge = new Gauge(base)
      return { type, write: (labels, value) => gauge.set(labels, value), remove: (labels) => gauge.remove(labels) }
    }
    case 'histogram': {
      const buckets = family.buckets === undefined ? {} : { buckets: [...family.buckets] }
      const histogram = new Histogram({ ...base, ...buckets })
      return {
        type,
        write: (labels, value) => histogram.observe(labels, value),
        remove: (labels) => histogram.remove(labels),
      }
    }
    case 'summary': {
      const percentiles = [...(family.percentiles ?? [0.5, 0.9, 0.99])]
      const summary = new Summary({ ...base, percentiles, maxAgeSeconds: 600, ageBuckets: 5 })
      return {
        type,
        write: (labels, value) => summary.observe(labels, value),
        remove: (labels) => summary.remove(labels),
      }
    }
  }
}
