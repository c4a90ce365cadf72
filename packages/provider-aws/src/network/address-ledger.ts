import type { ResolvedSubnet } from '../node-class/index.ts'

/** What is known of the free addresses of subnets, with those that launches under way will take. */
export interface AddressLedger {
  /** A count of the cloud's; it has seen what was launched before, so what was in flight is forgotten. */
  readonly observe: (subnetId: string, free: number) => void
  /** Free addresses less those in flight; `undefined` for a subnet that nobody counted lately. */
  readonly predicted: (subnetId: string) => number | undefined
  /** For each zone the subnet with most predicted addresses; the first one among equals. */
  readonly choose: (subnets: ReadonlyArray<ResolvedSubnet>) => ReadonlyMap<string, ResolvedSubnet>
  /** Takes addresses of subnets that a launch may use. */
  readonly reserve: (wants: ReadonlyMap<string, number>) => AddressReservation
  /** EC2 found the subnet without free addresses. */
  readonly exhaust: (subnetId: string) => void
  /** Subnets found without free addresses in the last minutes; the same set while nothing changed. */
  readonly exhausted: () => ReadonlySet<string>
}

export interface AddressReservation {
  /** Keeps what the launch really took and gives back the rest; nothing was launched: gives back all. */
  readonly settle: (used?: { readonly subnetId: string; readonly addresses: number }) => void
}

interface Count {
  free: number
  inFlight: number
  readonly observedAtMs: number
}

/** How long an exhausted subnet is left alone; as long as an offering without capacity. */
export const exhaustedForMs = 180_000

export const addressLedger = (options: { readonly ttlMs: number; readonly nowMs: () => number }): AddressLedger => {
  const { ttlMs, nowMs } = options
  const counts = new Map<string, Count>()
  const exhaustedUntilMs = new Map<string, number>()
  let lastExhausted: ReadonlySet<string> = new Set()

  const current = (id: string): Count | undefined => {
    const count = counts.get(id)
    return count !== undefined && nowMs() - count.observedAtMs < ttlMs ? count : undefined
  }
  const predicted = (id: string) => {
    const count = current(id)
    return count && count.free - count.inFlight
  }
  return {
    observe: (id, free) => void counts.set(id, { free, inFlight: 0, observedAtMs: nowMs() }),
    predicted,
    choose: (subnets) => {
      const chosen = new Map<string, ResolvedSubnet>()
      for (const subnet of subnets) {
        const rival = chosen.get(subnet.zone)
        if (rival === undefined || (predicted(subnet.id) ?? 0) > (predicted(rival.id) ?? 0))
          chosen.set(subnet.zone, subnet)
      }
      return chosen
    },
    reserve: (wants) => {
      const taken = [...wants].flatMap(([id, addresses]) => {
        const count = current(id)
        if (count === undefined) return []
        count.inFlight += addresses
        return [{ id, addresses, count }]
      })
      let isSettled = false
      return {
        settle: (used) => {
          if (isSettled) return
          isSettled = true
          // A count made since then stands in another record: this one is of no effect any more.
          for (const { id, addresses, count } of taken)
            count.inFlight += (used?.subnetId === id ? used.addresses : 0) - addresses
        },
      }
    },
    exhaust: (id) => {
      counts.set(id, { free: 0, inFlight: 0, observedAtMs: nowMs() })
      exhaustedUntilMs.set(id, nowMs() + exhaustedForMs)
    },
    exhausted: () => {
      const now = new Set([...exhaustedUntilMs].filter(([, untilMs]) => untilMs > nowMs()).map(([id]) => id))
      for (const id of exhaustedUntilMs.keys()) if (!now.has(id)) exhaustedUntilMs.delete(id)
      if (now.size !== lastExhausted.size || [...now].some((id) => !lastExhausted.has(id))) lastExhausted = now
      return lastExhausted
    },
  }
}
