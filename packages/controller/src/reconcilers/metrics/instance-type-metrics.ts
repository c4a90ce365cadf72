import { Offerings, Quantity, Resources, type InstanceType } from '@scantling/core'
import { families, makeSeriesStore, type Series, type SeriesStore } from '../../observability/index.ts'
import { inSlices } from '../../runtime/index.ts'
import type { ReconcilerContext } from '../context.ts'

const everyMs = 60_000

/**
 * Keeps the metrics of instance types and their offerings, for all NodePools together. A-ITP-09, A-OFF-10.
 *
 * Of several NodePools an offering that is available to one counts as available, and the lowest price counts, where the
 * reference lets the last NodePool have its say. Series of types that are no longer on offer go.
 */
export const runInstanceTypeMetrics = async (context: ReconcilerContext): Promise<void> => {
  const { clock, shutdown, metrics, state, types, steadyNowMs } = context
  const store = makeSeriesStore(metrics)
  let reported: ReadonlyArray<ReadonlyArray<InstanceType>> = []
  let names: ReadonlySet<string> = new Set()
  while (!shutdown.aborted) {
    const call = { signal: shutdown, cluster: context.clusterFacts() }
    // A NodePool whose types cannot be had is no reason to say nothing of the others.
    const known = await types.ofNodePools(state.nodePools(), call, () => undefined)
    if (shutdown.aborted) return
    const lists = [...new Set(known.values())]
    // Equal types are the same array, and there are tens of thousands of series.
    if (lists.length !== reported.length || lists.some((list, index) => list !== reported[index])) {
      reported = lists
      const grouped = byName(lists)
      for (const name of names) if (!grouped.has(name)) store.update(name, [])
      names = new Set(grouped.keys())
      await inSlices(report(store, grouped, state.settings.featureGates.reservedCapacity), steadyNowMs, shutdown)
    }
    await clock.sleep(everyMs, shutdown).catch(() => undefined)
  }
}

type Grouped = ReadonlyMap<string, ReadonlyArray<InstanceType>>

const byName = (lists: ReadonlyArray<ReadonlyArray<InstanceType>>): Grouped => {
  const grouped = new Map<string, Array<InstanceType>>()
  for (const type of lists.flat()) {
    const present = grouped.get(type.name)
    if (present === undefined) grouped.set(type.name, [type])
    else present.push(type)
  }
  return grouped
}

const report = function* (store: SeriesStore, grouped: Grouped, hasReserved: boolean): Generator<void, void, void> {
  for (const [name, types] of grouped) {
    store.update(name, seriesOf(name, types, hasReserved))
    yield
  }
}

const seriesOf = (name: string, types: ReadonlyArray<InstanceType>, hasReserved: boolean): ReadonlyArray<Series> => {
  const amountOf = (resource: string) => Quantity.toNumber(Resources.get(types[0]?.capacity ?? {}, resource))
  return [
    { family: families.instanceTypeCpu, labels: { instance_type: name }, value: amountOf('cpu') },
    { family: families.instanceTypeMemory, labels: { instance_type: name }, value: amountOf('memory') },
    ...[...soldOf(name, types, hasReserved).values()].flatMap(
      ({ labels, isAvailable, pricePerHour }): ReadonlyArray<Series> => [
        { family: families.offeringAvailable, labels, value: isAvailable ? 1 : 0 },
        ...(pricePerHour === undefined ? [] : [{ family: families.offeringPrice, labels, value: pricePerHour }]),
      ],
    ),
  ]
}

/** A way of buying a type, whichever NodePool it is open to. */
interface Sold {
  readonly labels: { readonly instance_type: string; readonly capacity_type: string; readonly zone: string }
  readonly isAvailable: boolean
  readonly pricePerHour: number | undefined
}

const soldOf = (name: string, types: ReadonlyArray<InstanceType>, hasReserved: boolean): ReadonlyMap<string, Sold> => {
  const sold = new Map<string, Sold>()
  for (const offering of types.flatMap(({ offerings }) => offerings)) {
    const labels = {
      instance_type: name,
      capacity_type: Offerings.capacityTypeOf(offering) ?? '',
      zone: Offerings.zoneOf(offering) ?? '',
    }
    const key = keyOf(labels)
    const known = sold.get(key)
    const { pricePerHour } = offering
    const lower = Math.min(known?.pricePerHour ?? Number.POSITIVE_INFINITY, pricePerHour ?? Number.POSITIVE_INFINITY)
    sold.set(key, {
      labels,
      isAvailable: known?.isAvailable === true || isAvailable(offering),
      pricePerHour: Number.isFinite(lower) ? lower : undefined,
    })
  }
  // Where nothing is reserved a reader sees nought, and not a gap (as in the reference).
  const zones = hasReserved ? new Set([...sold.values()].map(({ labels }) => labels.zone)) : []
  for (const zone of zones) {
    const labels = { instance_type: name, capacity_type: 'reserved', zone }
    const key = keyOf(labels)
    if (!sold.has(key)) sold.set(key, { labels, isAvailable: false, pricePerHour: undefined })
  }
  return sold
}

const keyOf = ({ capacity_type: capacityType, zone }: Sold['labels']): string => `${capacityType}/${zone}`

const isAvailable = ({ unavailable, reservation }: InstanceType['offerings'][number]): boolean =>
  unavailable === undefined && (reservation === undefined || reservation.remaining > 0)
