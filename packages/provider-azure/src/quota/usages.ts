/** One quota of a subscription in a region: how much of it is used. */
export interface Usage {
  readonly current: number
  readonly limit: number
}

/** Quotas by name in lower case, such as `standarddsv5family`. */
export type Usages = ReadonlyMap<string, Usage>

/** A row of the list of usages; what of it is read. */
export interface UsageRow {
  readonly name?: { readonly value?: string }
  readonly currentValue?: number
  readonly limit?: number
}

/** How often quotas are read, and how long they are believed without another answer (Z-QUO-01, Z-QUO-02). */
export const quotaRefreshMs = 10 * 60_000
export const quotaKeptMs = 15 * 60_000

/** Quotas by name; rows that lack a value are left out (Z-QUO-01). */
export const readUsages = (rows: ReadonlyArray<UsageRow>): Usages =>
  new Map(
    rows.flatMap(({ name, currentValue, limit }) =>
      name?.value === undefined || currentValue === undefined || limit === undefined
        ? []
        : [[name.value.toLowerCase(), { current: currentValue, limit }] as const],
    ),
  )

/**
 * Why the quota of its family has no room for one more machine of a SKU; `undefined` when it has (Z-QUO-03).
 *
 * A quota that nobody knows is no obstacle.
 */
export const quotaProblemOf = (
  usages: Usages,
  { name, quotaFamily, vCpus }: { readonly name: string; readonly quotaFamily: string; readonly vCpus: number },
): string | undefined => {
  const usage = quotaFamily === '' ? undefined : usages.get(quotaFamily.toLowerCase())
  if (usage === undefined || !(vCpus > 0)) return undefined
  const left = usage.limit - usage.current
  return vCpus <= left
    ? undefined
    : `${name} needs ${vCpus} vCPUs and quota ${quotaFamily} has ${Math.max(left, 0)} of ${usage.limit} left: ask Azure for more, or allow other families`
}

/** The quota of all vCPUs in the region; known, and not used to choose (Z-QUO-05). */
export const regionalUsageOf = (usages: Usages): Usage | undefined => usages.get('cores')

/** Whether two readings are the same: types need not be made anew then (Z-QUO-04). */
export const isSameUsages = (left: Usages | undefined, right: Usages | undefined): boolean => {
  if (left === undefined || right === undefined) return (left?.size ?? 0) === (right?.size ?? 0)
  return (
    left.size === right.size &&
    [...left].every(([name, { current, limit }]) => {
      const other = right.get(name)
      return other?.current === current && other.limit === limit
    })
  )
}

/** What is known of quotas, and since when. */
export interface KnownUsages {
  readonly usages: Usages | undefined
  readonly readAtMs: number | undefined
}

export const unknownUsages: KnownUsages = { usages: undefined, readAtMs: undefined }

/** What is known after a reading; `undefined`: it failed, and what is older than a quarter of an hour goes (Z-QUO-02). */
export const afterReading = (known: KnownUsages, read: Usages | undefined, nowMs: number): KnownUsages => {
  if (read !== undefined) return { usages: isSameUsages(known.usages, read) ? known.usages : read, readAtMs: nowMs }
  const isOld = known.readAtMs !== undefined && nowMs - known.readAtMs > quotaKeptMs
  return isOld ? unknownUsages : known
}
