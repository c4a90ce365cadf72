import { renderTable } from '@scantling/core'
import type { ReplayDay, ReplayOutcome } from '@scantling/simulation'

const money = (amount: number): string => `$${amount.toFixed(2)}`

/** One line for a day that has passed. */
export const renderDay = ({ day, nodes, pods, paid, evictions }: ReplayDay): string =>
  `day ${String(day).padStart(3)}: ${nodes} nodes, ${pods} pods, ${money(paid)} so far, ${evictions} evictions`

/** What a replay came to, for people. */
export const renderReplay = (outcome: ReplayOutcome, seconds: number): string => {
  const { cost, disruptions, violations, errors } = outcome
  const reasons = Object.entries(disruptions).map(([reason, count]) => `${reason} ${count}`)
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['days', `${outcome.days}, replayed in ${seconds.toFixed(0)} s`],
    ['cost', money(cost.paid)],
    ['the same machines on demand', money(cost.onDemand)],
    ['machine hours', cost.machineHours.toFixed(0)],
    ['nodes, pods at most', `${outcome.peakNodes}, ${outcome.peakPods}`],
    ['machines launched', String(outcome.launches)],
    ['nodes disrupted', reasons.length === 0 ? 'none' : reasons.join(', ')],
    ['evictions', String(outcome.evictions)],
    ['pods moved twice within an hour', String(outcome.movedTwiceWithinAnHour)],
    ['replacement cycles', String(outcome.replacementCycles)],
    ['pods without a node at the end', String(outcome.pending)],
    ['trace', outcome.trace],
  ]
  return [
    '',
    renderTable(rows, new Set()),
    ...violations.map((sentence) => `Violation: ${sentence}`),
    ...errors.map((sentence) => `Error of the controller: ${sentence}`),
  ].join('\n')
}
