import type { LabelValues, MetricFamily, Metrics } from './metrics.ts'

/** One value of a gauge. */
export interface Series {
  readonly family: MetricFamily
  readonly labels: LabelValues<string>
  readonly value: number
}

/** Gauges by the object that they speak of, so that none outlives it. */
export interface SeriesStore {
  /** The series of one key, whole: those that it had and has no more go. */
  readonly update: (key: string, series: ReadonlyArray<Series>) => void
  /** All keys, whole: what is not named goes. */
  readonly replaceAll: (series: ReadonlyMap<string, ReadonlyArray<Series>>) => void
}

/** M-STORE-01. */
export const makeSeriesStore = (metrics: Pick<Metrics, 'set' | 'remove'>): SeriesStore => {
  const known = new Map<string, ReadonlyMap<string, Series>>()
  const update = (key: string, series: ReadonlyArray<Series>) => {
    const next = new Map(series.map((one) => [JSON.stringify([one.family.name, one.labels]), one]))
    for (const [id, { family, labels }] of known.get(key) ?? []) if (!next.has(id)) metrics.remove(family, labels)
    for (const { family, labels, value } of next.values()) metrics.set(family, labels, value)
    if (next.size === 0) known.delete(key)
    else known.set(key, next)
  }
  return {
    update,
    replaceAll: (series) => {
      for (const key of known.keys()) if (!series.has(key)) update(key, [])
      for (const [key, all] of series) update(key, all)
    },
  }
}
