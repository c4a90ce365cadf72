import { fillOf, type Fleet, type NodeRow, type Share } from './fleet.ts'

/** How much of the screen there is. Without: everything, as plain text. */
export interface Frame {
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
  /** The first node shown. */
  readonly from: number
}

const escape = (code: string) => (text: string, colour: boolean) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text)
const bold = escape('1')
const dim = escape('2')
const green = escape('32')
const yellow = escape('33')
const red = escape('31')

const hoursInMonth = 730

const bar = (value: number, width: number, colour: boolean): string => {
  const filled = Math.round(Math.min(1, Math.max(0, value)) * width)
  const paint = value > 0.95 ? yellow : green
  return `${paint('█'.repeat(filled), colour)}${dim('░'.repeat(width - filled), colour)} ${`${Math.round(value * 100)}%`.padStart(4)}`
}

const plainBar = (value: number): string => `${Math.round(value * 100)}%`.padStart(4)

const cpus = (amount: number): string => `${Number(amount.toFixed(2))}`
const gibibytes = (amount: number): string => `${(amount / 2 ** 30).toFixed(1)}Gi`

const price = (amount: number | undefined): string => (amount === undefined ? '?' : amount.toFixed(4))

/** `3d4h`, `5m`: the two largest units at most. */
export const renderAge = (ageMs: number): string => {
  const seconds = Math.floor(ageMs / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (days > 0) return days < 10 ? `${days}d${hours % 24}h` : `${days}d`
  if (hours > 0) return `${hours}h${minutes % 60}m`
  return minutes > 0 ? `${minutes}m` : `${seconds}s`
}

const cell = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text.padEnd(width)

// Every name of one cloud ends alike; people tell nodes by the front.
const shortName = (name: string): string => name.split('.')[0] ?? name

const summaryOf = (fleet: Fleet, frame: Frame | undefined): ReadonlyArray<string> => {
  const colour = frame?.colour ?? false
  const share = (name: string, one: Share, amount: (value: number) => string) => {
    const fill = fillOf(one)
    const meter = frame === undefined ? plainBar(fill).trim() : bar(fill, 30, colour)
    return `${name.padEnd(7)} ${meter}  ${amount(one.requested)} of ${amount(one.allocatable)} requested`
  }
  const { nodes, pods, pricePerHour, unpriced } = fleet
  const cost =
    unpriced === nodes.length && nodes.length > 0
      ? 'prices unknown'
      : `$${pricePerHour.toFixed(4)}/hour, $${(pricePerHour * hoursInMonth).toFixed(2)}/month${unpriced > 0 ? ` without ${unpriced} of unknown price` : ''}`
  return [
    bold(`${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}, ${cost}`, colour),
    share('cpu', fleet.cpu, cpus),
    share('memory', fleet.memory, gibibytes),
    `${pods.total} pods: ${pods.running} running, ${pods.pending} pending`,
  ]
}

const statusColour = (status: NodeRow['status']) =>
  status === 'Ready' ? green : status === 'NotReady' ? red : status === 'Deleting' ? dim : yellow

interface Column {
  readonly title: string
  readonly of: (row: NodeRow) => string
  readonly alignsRight?: boolean
}

const columns: ReadonlyArray<Column> = [
  { title: 'NODE', of: ({ name }) => shortName(name) },
  { title: 'NODEPOOL', of: ({ nodePool }) => nodePool ?? '-' },
  { title: 'TYPE', of: ({ instanceType }) => instanceType },
  { title: 'CAPACITY', of: ({ capacityType }) => capacityType },
  { title: 'ZONE', of: ({ zone }) => zone },
  { title: '$/HOUR', of: ({ pricePerHour }) => price(pricePerHour), alignsRight: true },
  { title: 'PODS', of: ({ pods }) => String(pods), alignsRight: true },
  { title: 'AGE', of: ({ ageMs }) => renderAge(ageMs), alignsRight: true },
]

/**
 * The fleet for people: with a frame as one screen, cut to its size; without one as plain text, whole.
 *
 * What is unknown is a question mark and said under the table.
 */
export const renderFleet = (fleet: Fleet, frame?: Frame): ReadonlyArray<string> => {
  const colour = frame?.colour ?? false
  const summary = summaryOf(fleet, frame)
  const hint =
    fleet.unpriced > 0
      ? [dim(`Prices of ${fleet.unpriced} nodes are unknown: name them with --prices FILE or --catalog NAME`, colour)]
      : []
  const room = frame === undefined ? Infinity : Math.max(1, frame.rows - summary.length - hint.length - 3)
  const from = frame === undefined ? 0 : Math.min(frame.from, Math.max(0, fleet.nodes.length - room))
  const shown = fleet.nodes.slice(from, from + room)
  if (fleet.nodes.length === 0) return [...summary, '', dim('No nodes', colour)]
  const widths = columns.map(({ title, of }) =>
    Math.min(
      34,
      shown.reduce((most, row) => Math.max(most, of(row).length), title.length),
    ),
  )
  const barWidth = frame !== undefined && frame.columns >= 150 ? 12 : 6
  const meterWidth = frame === undefined ? 6 : barWidth + 5
  const line = (values: ReadonlyArray<string>) =>
    values
      .map((value, index) => {
        const width = widths[index] ?? 0
        return columns[index]?.alignsRight === true ? value.padStart(width) : cell(value, width)
      })
      .join('  ')
  const meter = (share: Share) =>
    frame === undefined ? plainBar(fillOf(share)).padEnd(meterWidth) : bar(fillOf(share), barWidth, colour)
  const header = `${line(columns.map(({ title }) => title))}  ${'CPU'.padEnd(meterWidth)}  ${'MEMORY'.padEnd(meterWidth)}  STATUS`
  const rows = shown.map(
    (row) =>
      `${line(columns.map(({ of }) => of(row)))}  ${meter(row.cpu)}  ${meter(row.memory)}  ${statusColour(row.status)(row.status, colour)}`,
  )
  const hidden = fleet.nodes.length - shown.length
  return [
    ...summary,
    '',
    dim(header, colour),
    ...rows,
    ...(hidden > 0 ? [dim(`${from + 1} to ${from + shown.length} of ${fleet.nodes.length} nodes`, colour)] : []),
    ...hint,
  ]
}
