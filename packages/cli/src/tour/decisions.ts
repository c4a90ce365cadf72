import { dollars } from './render.ts'

interface ControllerLine {
  readonly msg?: string
  readonly message?: string
  readonly [field: string]: unknown
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
const list = (value: unknown): ReadonlyArray<string> => (Array.isArray(value) ? value.map(text) : [])

/** A line of the controller's log in words, or `undefined` where it is no decision that people follow. */
export const decisionOf = (line: string): string | undefined => {
  let entry: ControllerLine
  try {
    entry = JSON.parse(line) as ControllerLine
  } catch {
    return undefined
  }
  const field = (name: string) => text(entry[name] ?? '')
  switch (entry.message ?? entry.msg) {
    case 'Planned':
      return `Planned ${field('pods')} pods: ${field('new-nodeclaims')} new machines, ${field('existing-nodes')} existing nodes take some, ${field('unplaced')} without a place (${(Number(entry['seconds']) * 1000).toFixed(0)} ms)`
    case 'Created NodeClaim': {
      const price = entry['price-per-hour']
      const requests = (entry['requests'] ?? {}) as Readonly<Record<string, string>>
      const cost = typeof price === 'number' ? ` from ${dollars(price)}/h` : ''
      return `NodeClaim ${field('NodeClaim')} (pool ${field('NodePool')}) for cpu ${requests['cpu'] ?? '0'}, memory ${requests['memory'] ?? '0'}: the cheapest of ${field('instance-types')}${cost}`
    }
    case 'Launched NodeClaim':
      return `The cloud launches ${field('instance-type')} (${field('capacity-type')}, ${field('zone')}) for ${field('NodeClaim')}`
    case 'Registered NodeClaim':
      return `Node ${field('Node')} joins the cluster`
    case 'Initialized NodeClaim':
      return `Node ${field('Node')} is ready for pods`
    case 'Disrupting empty nodes':
      return `Empty: ${list(entry['Nodes']).length} nodes go, saving ${dollars(Number(entry['savings-per-hour']))}/h`
    case 'Deleted NodeClaim':
      return `Machine of ${field('NodeClaim')} is gone`
    default:
      return entry['level'] === 'ERROR' || entry['level'] === 'WARN' || Number(entry['level']) >= 40
        ? `${entry.message ?? entry.msg ?? ''} ${field('error')}`.trim()
        : undefined
  }
}
