import type { ReadStream, WriteStream } from 'node:tty'
import type { Frame } from './render-fleet.ts'

const enterAlternate = '\u001B[?1049h\u001B[?25l'
const leaveAlternate = '\u001B[?25h\u001B[?1049l'
const home = '\u001B[H'
const clearLine = '\u001B[K'
const clearBelow = '\u001B[J'
const escape = '\u001B'
const refreshMs = 500

const keys = { quit: ['q', 'Q', '\u0003', '\u0004'], down: ['j', '\u001B[B'], up: ['k', '\u001B[A'] } as const

const isOneOf = (key: string, names: ReadonlyArray<string>): boolean => names.includes(key)

/** Paints a terminal anew twice a second until `q` or Ctrl-C, and gives the screen back as it was. */
export const showLive = (
  out: WriteStream,
  input: ReadStream,
  lines: (frame: Frame) => ReadonlyArray<string>,
): Promise<void> =>
  new Promise((resolve) => {
    let from = 0
    let painted = ''
    const paint = () => {
      const frame = { columns: out.columns, rows: out.rows, colour: out.hasColors(), from }
      const text = lines(frame)
        .slice(0, out.rows)
        .map((line) => `${line}${clearLine}`)
        .join('\r\n')
      if (text === painted) return
      painted = text
      out.write(`${home}${text}${clearBelow}`)
    }
    const leave = () => {
      clearInterval(timer)
      out.off('resize', repaint)
      input.off('data', onKey)
      process.off('exit', restore)
      for (const signal of signals) process.off(signal, leave)
      input.setRawMode(false)
      input.pause()
      restore()
      resolve()
    }
    const restore = () => void out.write(leaveAlternate)
    const repaint = () => {
      painted = ''
      paint()
    }
    const onKey = (chunk: Buffer) => {
      // Keys that are held down come several at a time.
      const text = chunk.toString()
      const pressed = text.startsWith(escape) ? text.split(escape).map((rest) => `${escape}${rest}`) : [...text]
      for (const key of pressed) {
        if (isOneOf(key, keys.quit)) return leave()
        if (isOneOf(key, keys.down)) from += 1
        if (isOneOf(key, keys.up)) from = Math.max(0, from - 1)
      }
      paint()
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    for (const signal of signals) process.on(signal, leave)
    process.on('exit', restore)
    out.write(enterAlternate)
    input.setRawMode(true)
    input.resume()
    input.on('data', onKey)
    out.on('resize', repaint)
    const timer = setInterval(paint, refreshMs)
    paint()
  })
