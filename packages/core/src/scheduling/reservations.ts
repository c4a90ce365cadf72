import type { InstanceType } from '../instance/index.ts'
import { reservationIdOf } from './catalog.ts'

/**
 * What is left of each capacity reservation in this pass, and which claim holds what (P-RSV-01, P-RSV-02).
 *
 * A claim holds at most one unit of a reservation. Several offerings may name one reservation; the smallest word counts.
 */
export class Reservations {
  readonly #left = new Map<string, number>()

  constructor(types: Iterable<InstanceType>, reservationKey: string | undefined) {
    for (const type of types) {
      for (const offering of type.offerings) {
        const id = reservationIdOf(offering, reservationKey)
        if (id === undefined) continue
        const remaining = offering.reservation?.remaining ?? 0
        this.#left.set(id, Math.min(remaining, this.#left.get(id) ?? remaining))
      }
    }
  }

  /** Remembers what is left; calling the result puts it back. */
  checkpoint(): () => void {
    const left = [...this.#left]
    return () => {
      for (const [id, remaining] of left) this.#left.set(id, remaining)
    }
  }

  canReserve(held: ReadonlySet<string>, id: string): boolean {
    return held.has(id) || (this.#left.get(id) ?? 0) > 0
  }

  /** Exchanges what a claim holds for what it can use now. */
  exchange(held: ReadonlySet<string>, wanted: ReadonlySet<string>): void {
    for (const id of wanted) if (!held.has(id)) this.#left.set(id, (this.#left.get(id) ?? 0) - 1)
    for (const id of held) if (!wanted.has(id)) this.#left.set(id, (this.#left.get(id) ?? 0) + 1)
  }
}
