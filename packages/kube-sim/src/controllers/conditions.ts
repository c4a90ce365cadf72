import type { Condition } from './objects.ts'

export const findCondition = (conditions: ReadonlyArray<Condition> | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type)

/**
 * The conditions with one of them replaced or added; `lastTransitionTime` moves only when the status does.
 *
 * Returns the same array when nothing changes, so that callers can skip the write.
 */
export const setCondition = (
  conditions: ReadonlyArray<Condition> | undefined,
  next: Condition,
  nowText: string,
): ReadonlyArray<Condition> => {
  const present = findCondition(conditions, next.type)
  if (present === undefined) return [...(conditions ?? []), { lastTransitionTime: nowText, ...next }]
  const isSame =
    present.status === next.status &&
    (present.reason ?? '') === (next.reason ?? '') &&
    (present.message ?? '') === (next.message ?? '') &&
    (next.observedGeneration === undefined || present.observedGeneration === next.observedGeneration)
  if (isSame) return conditions ?? []
  const since = present.status === next.status ? present.lastTransitionTime : nowText
  const merged: Condition = { ...next, ...(since === undefined ? {} : { lastTransitionTime: since }) }
  return (conditions ?? []).map((condition) => (condition === present ? merged : condition))
}

/** An instant as Kubernetes writes it, in whole seconds. Source: RFC 3339, as `metav1.Time`. */
export const timeText = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`

/** An instant with microseconds, as Leases have it (`metav1.MicroTime`). */
export const microTimeText = (epochMs: number): string => new Date(epochMs).toISOString().replace('Z', '000Z')
