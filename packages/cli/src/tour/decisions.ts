import { counted, Quantity, Resources } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { dollars } from './render.ts'

type LogLine = Readonly<Record<string, unknown>>

/** A line of the controller's log in words, or `undefined` where it is no decision that people follow. */
export const decisionOf = (line: string): string | undefined => {
  const entry = parse(line)
  if (entry === undefined) return undefined
  const text = (field: string) => textOf(entry[field])
  const countOf = (field: string, noun: string) => counted(Number(entry[field]), noun)
  switch (entry['message']) {
    case 'Planned':
      // What found no place is told with its reason.
      if (entry['new-nodeclaims'] === 0 && entry['existing-nodes'] === 0) return undefined
      return `Planned ${countOf('pods', 'pod')}: ${countOf('new-nodeclaims', 'new machine')}, ${countOf('existing-nodes', 'existing node')} for some, ${text('unplaced')} without a place (${(Number(entry['seconds']) * 1000).toFixed(0)} ms)`
    case 'Pods have no place':
      return `No place for ${text('pods')}: ${text('reason')}`
    case 'Created NodeClaim': {
      const price = entry['price-per-hour']
      const cost = typeof price === 'number' ? ` from ${dollars(price)}/h` : ''
      return `NodeClaim ${text('NodeClaim')} (pool ${text('NodePool')}) for ${amounts(entry['requests'])}: the cheapest of ${text('instance-types')}${cost}`
    }
    case 'Launched NodeClaim':
      return `The cloud launches ${text('instance-type')} (${text('capacity-type')}, ${text('zone')}) for ${text('NodeClaim')}`
    case 'Registered NodeClaim':
      return `Node ${text('Node')} joins the cluster`
    case 'Initialized NodeClaim':
      return `Node ${text('Node')} is ready for pods`
    case 'Disrupting empty nodes':
      return `Empty for long enough: ${listOf(entry['Nodes']).join(', ')} go${listOf(entry['Nodes']).length === 1 ? 'es' : ''}, saving ${dollars(Number(entry['savings-per-hour']))}/h`
    case 'Disrupting nodes':
      return disruptionIn(entry)
    case 'NodeClaim expired':
      return `${text('NodeClaim')} has reached its age and goes`
    case 'Replacing a node before its interruption':
      return `The cloud takes ${text('NodeClaim')} away (${text('reason')}): its replacement comes first`
    case 'Taking node away before its interruption':
      return `The cloud takes ${text('NodeClaim')} away (${text('reason')}): its pods move now`
    case 'Drained Node':
      return `Node ${text('Node')} is drained`
    case 'Deleted NodeClaim':
      return `The machine of ${text('NodeClaim')} is gone`
    default:
      // Remarks without an error, such as on a slow moment of this machine, are no decisions.
      return isTrouble(entry) ? troubleIn(text('message'), text('error')) : undefined
  }
}

const disruptionIn = (entry: LogLine): string => {
  const count = Number(entry['disrupted-node-count'])
  const replacements = Number(entry['replacement-node-count'])
  const nodes = (Array.isArray(entry['disrupted-nodes']) ? entry['disrupted-nodes'] : []) as ReadonlyArray<LogLine>
  const names = nodes.map((node) => `${textOf(node['Node'])} (${textOf(node['instance-type'])})`).join(', ')
  const instead =
    replacements === 0
      ? ''
      : `, after ${replacements === 1 ? 'a replacement is' : `${replacements} replacements are`} up`
  const savings = Number(entry['savings-per-hour'])
  const saved = savings > 0 ? `, saving ${dollars(savings)}/h` : ''
  return `${textOf(entry['reason'])}: ${names} ${count === 1 ? 'goes' : 'go'}${instead}${saved}`
}

// What a budget holds up is tried again until it gives way.
const troubleIn = (message: string, error: string): string => {
  const held = /^Cannot evict Pod (\S+): .*disruption budget/.exec(error)?.[1]
  if (held !== undefined) return `A PodDisruptionBudget holds up the eviction of ${held}`
  return message === 'Reconciler error' ? error : `${message}: ${error}`
}

const isTrouble = ({ level, error }: LogLine): boolean => (level === 'ERROR' || level === 'WARN') && error !== undefined

const parse = (line: string): LogLine | undefined => {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return undefined
  }
}

const textOf = (value: unknown): string => {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  // An object of the cluster is named as the reference's log names it.
  const { name, namespace } = (value ?? {}) as { readonly name?: unknown; readonly namespace?: unknown }
  if (typeof name !== 'string') return JSON.stringify(value)
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}/${name}` : name
}

const listOf = (value: unknown): ReadonlyArray<string> => (Array.isArray(value) ? value.map(textOf) : [])

const bytesPerGibibyte = 2 ** 30

const amounts = (requests: unknown): string => {
  const decoded = Resources.decode(requests, 'requests')
  if (E.isLeft(decoded)) return ''
  const gibibytes = Quantity.toNumber(Resources.get(decoded.right, 'memory')) / bytesPerGibibyte
  return `cpu ${Resources.get(decoded.right, 'cpu')}, memory ${gibibytes.toFixed(1)}Gi`
}
