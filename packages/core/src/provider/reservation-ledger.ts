import type { InstanceType, Offering } from '../instance/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'

/**
 * Launches into reservations and ends in them, kept until the provider's own count has seen them.
 *
 * A provider's count is as old as its last look; the ledger makes up for the time since.
 */
export interface ReservationLedger {
  readonly entries: ReadonlyArray<ReservationEntry>
}

export interface ReservationEntry {
  readonly reservation: string
  /** The launch token or provider id, so that an entry made twice counts once. */
  readonly instance: string
  readonly change: 'launched' | 'ended'
  readonly atMs: number
}

export const empty: ReservationLedger = { entries: [] }

/**
 * The ledger with one more entry; the same object when it is there already.
 *
 * @example
 * const entry = { reservation: 'cr-1', instance: 'token-1', change: 'launched', atMs: 1_000 } as const
 * const ledger = ReservationLedgers.enter(ReservationLedgers.empty, entry)
 * ReservationLedgers.enter(ledger, entry) === ledger // => true
 */
export const enter = (ledger: ReservationLedger, entry: ReservationEntry): ReservationLedger =>
  ledger.entries.some(
    ({ reservation, instance, change }) =>
      reservation === entry.reservation && instance === entry.instance && change === entry.change,
  )
    ? ledger
    : { entries: [...ledger.entries, entry] }

/**
 * The ledger without the entries that every count made since has seen.
 *
 * @example
 * const entry = { reservation: 'cr-1', instance: 'token-1', change: 'launched', atMs: 1_000 } as const
 * ReservationLedgers.settle(ReservationLedgers.enter(ReservationLedgers.empty, entry), 2_000).entries // => []
 */
export const settle = (ledger: ReservationLedger, observedAtMs: number): ReservationLedger => ({
  entries: ledger.entries.filter(({ atMs }) => atMs > observedAtMs),
})

/**
 * Instances that the reservation still has room for; never below zero.
 *
 * @example
 * const entry = { reservation: 'cr-1', instance: 'token-1', change: 'launched', atMs: 1_000 } as const
 * const ledger = ReservationLedgers.enter(ReservationLedgers.empty, entry)
 * ReservationLedgers.remaining(ledger, 'cr-1', { remaining: 3, observedAtMs: 0 }) // => 2
 * // A count made since has seen the launch.
 * ReservationLedgers.remaining(ledger, 'cr-1', { remaining: 2, observedAtMs: 2_000 }) // => 2
 */
export const remaining = (
  ledger: ReservationLedger,
  reservation: string,
  reported: NonNullable<Offering['reservation']>,
): number => {
  let left = reported.remaining
  for (const entry of ledger.entries)
    if (entry.reservation === reservation && entry.atMs > reported.observedAtMs)
      left += entry.change === 'launched' ? -1 : 1
  return Math.max(0, left)
}

/**
 * The types with reservations counted down by the ledger; a type whose counts stay is the same object.
 *
 * `idKey` is the label that names a reservation (`LabelPolicy.reservation.id`).
 *
 * @example
 * import { instanceType, reservationKey, reserved } from '@scantling/core/testing'
 * const type = instanceType('m5.large', 2, { offerings: [reserved('a', 'cr-1', 3)] })
 * const ledger = ReservationLedgers.enter(ReservationLedgers.empty, {
 *   reservation: 'cr-1',
 *   instance: 'token-1',
 *   change: 'launched',
 *   atMs: 1_000,
 * })
 * ReservationLedgers.applyLedger([type], ledger, reservationKey)[0]?.offerings[0]?.reservation?.remaining // => 2
 */
export const applyLedger = (
  types: ReadonlyArray<InstanceType>,
  ledger: ReservationLedger,
  idKey: string,
): ReadonlyArray<InstanceType> => {
  if (ledger.entries.length === 0) return types
  let changed = false
  const applied = types.map((type) => {
    let isTouched = false
    const offerings = type.offerings.map((offering) => {
      const id = Requirement.singleValue(Requirements.get(offering.requirements, idKey))
      if (offering.reservation === undefined || id === undefined) return offering
      const left = remaining(ledger, id, offering.reservation)
      if (left === offering.reservation.remaining) return offering
      isTouched = true
      return { ...offering, reservation: { ...offering.reservation, remaining: left } }
    })
    if (!isTouched) return type
    changed = true
    return { ...type, offerings }
  })
  return changed ? applied : types
}
