import { labelKeys } from '@scantling/core'
import type { Bill, CatalogEntry } from '@scantling/provider-kwok'

/** What the machines cost, and what the same machines would have cost on demand. **Units**: currency. */
export interface CostAccount {
  readonly paid: number
  readonly onDemand: number
  readonly machineHours: number
}

const hourMs = 3_600_000

/** Settles a bill. A machine whose type is not sold on demand in its zone counts at what was paid for it. */
export const accountOf = ({ lines, total, atMs }: Bill, catalog: ReadonlyArray<CatalogEntry>): CostAccount => {
  const prices = new Map<string, number>()
  for (const { name, offerings } of catalog) {
    for (const { Price, Requirements } of offerings) {
      const valueOf = (wanted: string) => Requirements.find(({ key }) => key === wanted)?.values[0]
      if (valueOf(labelKeys.capacityType) === 'on-demand') prices.set(`${name} ${valueOf(labelKeys.zone)}`, Price)
    }
  }
  let onDemand = 0
  let machineHours = 0
  for (const { instanceType, zone, fromMs, untilMs = atMs, cost } of lines) {
    const hours = (untilMs - fromMs) / hourMs
    const price = prices.get(`${instanceType} ${zone}`)
    machineHours += hours
    onDemand += price === undefined ? cost : price * hours
  }
  return { paid: total, onDemand, machineHours }
}
