import * as E from 'fp-ts/lib/Either.js'

/** One part of user data that has several. */
export interface MimePart {
  /** Header lines as they were, such as `Content-Type: text/x-shellscript; charset="us-ascii"`. */
  readonly headers: ReadonlyArray<string>
  readonly body: string
}

const boundary = '//'

export const shellScript = (body: string): MimePart => ({
  headers: ['Content-Type: text/x-shellscript; charset="us-ascii"'],
  body,
})

export const nodeConfig = (body: string): MimePart => ({ headers: ['Content-Type: application/node.eks.aws'], body })

/** Whether text says of itself that it is MIME. */
export const isMime = (text: string): boolean => /^\s*(MIME-Version:|Content-Type:)/.test(text)

/** Several parts as one text, without carriage returns. */
export const writeMime = (parts: ReadonlyArray<MimePart>): string =>
  [
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    ...parts.flatMap(({ headers, body }) => [`--${boundary}`, ...headers, '', body]),
    `--${boundary}--`,
    '',
  ]
    .join('\n')
    .replaceAll('\r', '')

/**
 * The parts of a MIME text.
 *
 * Errors: a sentence, where it is not of several parts or does not say what parts them.
 */
export const readMime = (text: string): E.Either<string, ReadonlyArray<MimePart>> => {
  const lines = text.replaceAll('\r', '').trimStart().split('\n')
  const headersEnd = lines.indexOf('')
  const headers = unfolded(lines.slice(0, headersEnd < 0 ? lines.length : headersEnd))
  const contentType = headers.find((line) => /^content-type:/i.test(line))
  if (contentType === undefined) return E.left(cannotRead('it has no Content-Type'))
  if (!/^content-type:\s*multipart\//i.test(contentType)) return E.left(cannotRead('its Content-Type is not multipart'))
  const [, quoted, bare] = /boundary=(?:"([^"]*)"|([^;\s]+))/i.exec(contentType) ?? []
  const delimiter = quoted ?? bare
  if (delimiter === undefined || delimiter === '') return E.left(cannotRead('its Content-Type names no boundary'))
  return partsOf(headersEnd < 0 ? [] : lines.slice(headersEnd + 1), delimiter)
}

const cannotRead = (reason: string): string => `Cannot read userData as MIME: ${reason}`

// A line that begins with a space goes on with the one before.
const unfolded = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const whole: Array<string> = []
  for (const line of lines) {
    const last = whole.length - 1
    if (/^[ \t]/.test(line) && last >= 0) whole[last] = `${whole[last]} ${line.trim()}`
    else whole.push(line)
  }
  return whole
}

const partsOf = (lines: ReadonlyArray<string>, delimiter: string): E.Either<string, ReadonlyArray<MimePart>> => {
  const parts: Array<MimePart> = []
  let current: Array<string> | undefined
  const finish = () => {
    if (current === undefined) return
    const blank = current.indexOf('')
    const headers = blank < 0 ? current : current.slice(0, blank)
    parts.push({ headers: unfolded(headers), body: blank < 0 ? '' : current.slice(blank + 1).join('\n') })
  }
  for (const line of lines) {
    const end = line.trimEnd()
    if (end === `--${delimiter}--`) {
      finish()
      return E.right(parts)
    }
    if (end === `--${delimiter}`) {
      finish()
      current = []
    } else current?.push(line)
  }
  return E.left(cannotRead(`it does not end with --${delimiter}--`))
}
