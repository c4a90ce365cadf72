import {
  counted,
  renderBlocked,
  renderPrice,
  renderTable,
  type DisruptionCommand,
  type DisruptionPlan,
  type Replacement,
} from '@scantling/core'

/** A plan of disruption as text for a terminal: what goes and what comes for it, and why each other node stays. */
export const renderDisruption = ({ commands, blocked }: DisruptionPlan): string => {
  const sections = [
    commands.length === 0 ? 'Nothing to take away.' : commands.map(renderCommand).join('\n'),
    blocked.length === 0
      ? ''
      : renderTable(
          [['NODE', 'STAYS BECAUSE'], ...blocked.map(({ node, reason }) => [node, renderBlocked(reason)])],
          new Set(),
        ),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

/** One command as a sentence: what goes, what comes for it, and what that saves. */
export const renderCommand = ({
  reason,
  candidates,
  replacements,
  savingsPerHour,
  terminateFirst,
}: DisruptionCommand) => {
  const nodes = `${counted(candidates.length, 'node')} (${candidates.map(({ node }) => node).join(', ')})`
  const instead = replacements.length === 0 ? '' : ` for ${replacements.map(renderReplacement).join(', ')}`
  const first = terminateFirst === undefined ? '' : ' before a replacement can come'
  return `${reason}: take away ${nodes}${instead}${first}, saving ${renderPrice(savingsPerHour)} an hour`
}

const renderReplacement = (replacement: Replacement): string => {
  const [cheapest, ...others] = replacement.instanceTypes ?? []
  if (cheapest === undefined) return `one more node of ${replacement.nodePool}`
  const choice = others.length === 0 ? '' : ` or ${counted(others.length, 'other type')}`
  return `one ${cheapest.name}${choice} of ${replacement.nodePool}`
}
