import { createInterface } from 'node:readline/promises'
import type { WriteStream } from 'node:tty'
import { renderCounts, renderScene, type Scene } from './render.ts'

/** Where the tour is shown: a terminal that repaints, or plain lines where there is none. */
export interface Screen {
  /** Shows a new step. */
  readonly open: (title: string, text: ReadonlyArray<string>) => void
  /** Shows the cluster as it is now; cheap when nothing changed. */
  readonly update: (scene: Scene) => void
  /** Adds a decision to the log. */
  readonly note: (line: string) => void
  /** Prints lines that stay. */
  readonly print: (lines: ReadonlyArray<string>) => void
  /** Waits for Enter. */
  readonly pause: () => Promise<void>
  readonly close: () => void
}

/** Plain lines: each decision as it falls, and the counts whenever they change. */
export const lineScreen = (out: NodeJS.WritableStream): Screen => {
  let counts = ''
  const print = (lines: ReadonlyArray<string>) => void out.write(`${lines.join('\n')}\n`)
  return {
    open: (title, text) => print(['', `== ${title}`, ...text.map((line) => `   ${line}`)]),
    update: ({ picture }) => {
      const now = renderCounts(picture)
      if (now === counts) return
      counts = now
      print([`   ${now}`])
    },
    note: (line) => print([` * ${line}`]),
    print,
    pause: async () => undefined,
    close: () => undefined,
  }
}

const home = '\u001B[H'
const clearLine = '\u001B[K'
const clearBelow = '\u001B[J'
const enterAlternate = '\u001B[?1049h\u001B[?25l'
const leaveAlternate = '\u001B[?25h\u001B[?1049l'

/** A terminal: the whole screen is painted anew, in place, and given back as it was on closing. */
export const terminalScreen = (out: WriteStream, input: NodeJS.ReadStream): Screen => {
  let painted = ''
  let isOpen = false
  const leave = () => {
    if (!isOpen) return
    isOpen = false
    out.write(leaveAlternate)
  }
  const paint = (lines: ReadonlyArray<string>) => {
    const frame = lines.map((line) => `${line}${clearLine}`).join('\n')
    if (frame === painted && isOpen) return
    painted = frame
    out.write(`${isOpen ? '' : enterAlternate}${home}${frame}${clearBelow}`)
    isOpen = true
  }
  return {
    open: () => undefined,
    update: (scene) =>
      paint(renderScene(scene, { columns: out.columns, rows: out.rows - 1, colour: out.hasColors?.() ?? true })),
    note: () => undefined,
    print: (lines) => {
      leave()
      out.write(`${lines.join('\n')}\n`)
    },
    pause: async () => {
      const reader = createInterface({ input, output: undefined })
      await reader.question('').catch(() => undefined)
      reader.close()
    },
    close: leave,
  }
}
