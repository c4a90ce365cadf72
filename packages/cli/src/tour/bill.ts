import type { Bill } from '@scantling/provider-kwok'
import { dollars } from './render.ts'

/** What the simulated cloud charges, asked of the cloud itself. */
export const fetchBill = async (cloud: string): Promise<Bill> => {
  const response = await fetch(`${cloud}/bill`)
  if (!response.ok) throw new Error(`The simulated cloud does not tell its bill: ${response.status}`)
  return (await response.json()) as Bill
}

/** The bill as a table: one line for each kind of machine, and the sum. */
export const renderBill = ({ lines, total, atMs }: Bill): ReadonlyArray<string> => {
  const kinds = new Map<string, { machines: number; hours: number; cost: number }>()
  for (const { instanceType, capacityType, fromMs, untilMs = atMs, cost } of lines) {
    const kind = `${instanceType.padEnd(16)} ${capacityType}`
    const sum = kinds.get(kind) ?? { machines: 0, hours: 0, cost: 0 }
    kinds.set(kind, {
      machines: sum.machines + 1,
      hours: sum.hours + (untilMs - fromMs) / 3_600_000,
      cost: sum.cost + cost,
    })
  }
  return [
    '',
    'The bill',
    ...[...kinds]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([kind, { machines, hours, cost }]) =>
          `  ${kind.padEnd(28)} ${String(machines).padStart(3)} ${(machines === 1 ? 'machine' : 'machines').padEnd(8)} ${hours.toFixed(3).padStart(8)} h ${dollars(cost, 5).padStart(11)}`,
      ),
    `  total ${dollars(total, 5)}`,
    '',
  ]
}
