import type { MachineRow, Picture } from './picture.ts'

/** How much of the screen there is. */
export interface Frame {
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
}

const escape =
  (code: string) =>
  (text: string, { colour }: Frame) =>
    colour ? `\u001B[${code}m${text}\u001B[0m` : text
const bold = escape('1')
const dim = escape('2')
const green = escape('32')
const yellow = escape('33')
const cyan = escape('36')

/** Dollars with as many digits as people can use. */
export const dollars = (amount: number, digits = 4): string => `$${amount.toFixed(digits)}`

/** One line: what waits, what runs, what it costs. */
export const renderCounts = ({ machines, pods, pricePerHour }: Picture): string =>
  `pods: ${pods.pending} pending, ${pods.starting} starting, ${pods.running} running${pods.leaving > 0 ? `, ${pods.leaving} leaving` : ''}` +
  ` · nodes: ${machines.length} · ${dollars(pricePerHour)}/h`

const stageColour = { launching: yellow, starting: yellow, ready: green, leaving: dim } as const

const bar = (value: number, width: number): string => {
  const filled = Math.round(Math.min(1, Math.max(0, value)) * width)
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${String(Math.round(value * 100)).padStart(3)}%`
}

const cell = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)

/** The table of machines, at most `rows` lines of it. */
export const renderMachines = (machines: ReadonlyArray<MachineRow>, frame: Frame): ReadonlyArray<string> => {
  if (machines.length === 0) return [dim('  no machines, nothing to pay', frame)]
  const shown = machines.slice(0, Math.max(1, frame.rows))
  const barWidth = frame.columns >= 120 ? 10 : 5
  const header = `  ${cell('NODE', 24)} ${cell('TYPE', 15)} ${cell('BUY', 10)} ${cell('ZONE', 12)} ${cell('$/H', 8)} ${cell('STAGE', 9)} ${cell('CPU', barWidth + 5)} ${cell('MEMORY', barWidth + 5)} PODS`
  const lines = shown.map((row) => {
    const stage = stageColour[row.stage](cell(row.stage, 9), frame)
    const price = row.pricePerHour === undefined ? '?' : row.pricePerHour.toFixed(4)
    return `  ${cell(shortName(row.name), 24)} ${cell(row.instanceType, 15)} ${cell(row.capacityType, 10)} ${cell(row.zone, 12)} ${cell(price, 8)} ${stage} ${bar(row.cpu, barWidth)} ${bar(row.memory, barWidth)} ${row.pods}`
  })
  const hidden = machines.length - shown.length
  return [dim(header, frame), ...lines, ...(hidden > 0 ? [dim(`  and ${hidden} more`, frame)] : [])]
}

// Every name of one cloud ends alike; people tell nodes by the front.
const shortName = (name: string): string => name.split('.')[0] ?? name

/** What a whole screen shows. */
export interface Scene {
  readonly title: string
  readonly text: ReadonlyArray<string>
  readonly picture: Picture
  /** Newest last. */
  readonly log: ReadonlyArray<string>
  readonly footer: string
}

/** The whole screen, cut to its size. */
export const renderScene = (scene: Scene, frame: Frame): ReadonlyArray<string> => {
  const head = [
    bold(scene.title, frame),
    ...scene.text.map((line) => `  ${line}`),
    '',
    cyan(renderCounts(scene.picture), frame),
    '',
  ]
  const footer = ['', dim(scene.footer, frame)]
  const room = Math.max(6, frame.rows - head.length - footer.length - 2)
  const machines = renderMachines(scene.picture.machines, { ...frame, rows: Math.max(3, Math.floor(room * 0.6) - 2) })
  const logRoom = Math.max(3, room - machines.length)
  const log = scene.log.slice(-logRoom).map((line) => cut(`  ${line}`, frame.columns))
  return [...head, ...machines, '', ...log, ...footer]
}

const cut = (line: string, columns: number): string => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line)
