import { Offerings, type InstanceType } from '@scantling/core'
import type { Bill } from '@scantling/provider-kwok'
import { dollars } from './render.ts'

/** What a disruption saves from its moment on. */
export interface Saving {
  readonly atMs: number
  readonly perHour: number
}

const hourMs = 3_600_000
const byConsolidation = new Set(['empty', 'underutilized'])

/** The saving that a line of the controller's log tells of, where it is one of consolidation. */
export const savingOf = (line: string, nowMs: number): Saving | undefined => {
  if (!line.includes('"Disrupting nodes"')) return undefined
  try {
    const entry = JSON.parse(line) as Readonly<Record<string, unknown>>
    const perHour = Number(entry['savings-per-hour'])
    return byConsolidation.has(String(entry['reason'])) && perHour > 0 ? { atMs: nowMs, perHour } : undefined
  } catch {
    return undefined
  }
}

/** What was paid; what the same machines would have cost on demand; what it would have cost had nothing been consolidated. */
export const renderSavings = (
  { lines, total, atMs }: Bill,
  types: ReadonlyMap<string, InstanceType>,
  savings: ReadonlyArray<Saving>,
): ReadonlyArray<string> => {
  const onDemand = lines.reduce((sum, { instanceType, zone, fromMs, untilMs = atMs, cost }) => {
    const type = types.get(instanceType)
    const offering = type && Offerings.offeringIn(type, { zone, capacityType: 'on-demand' })
    return sum + (offering?.pricePerHour === undefined ? cost : (offering.pricePerHour * (untilMs - fromMs)) / hourMs)
  }, 0)
  const saved = savings.reduce((sum, one) => sum + (one.perHour * Math.max(0, atMs - one.atMs)) / hourMs, 0)
  const percent = (than: number) => (than === 0 ? '' : ` (${Math.round((1 - total / than) * 100)} % less was paid)`)
  return [
    'Savings',
    `  paid                                  ${dollars(total, 5).padStart(11)}`,
    `  the same machines, all on demand      ${dollars(onDemand, 5).padStart(11)}${percent(onDemand)}`,
    `  had nothing been consolidated         ${dollars(total + saved, 5).padStart(11)}${percent(total + saved)}`,
    '',
  ]
}
