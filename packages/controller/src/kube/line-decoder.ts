const newline = 0x0a

/** Splits a byte stream into lines. */
export interface LineDecoder {
  readonly push: (chunk: Uint8Array) => void
  /** Bytes after the last newline: a line that was cut off. */
  readonly pendingBytes: () => number
}

/**
 * Calls `onLine` for every complete, non-empty line, however the chunks fall.
 *
 * Lines are cut on bytes and decoded whole, so a chunk border inside a UTF-8 sequence does no harm.
 * Cost: each byte is copied at most once more than it arrived.
 */
export const makeLineDecoder = (onLine: (line: string) => void): LineDecoder => {
  let parts: Array<Uint8Array> = []
  let pendingBytes = 0
  return {
    pendingBytes: () => pendingBytes,
    push: (chunk) => {
      let start = 0
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        const tail = chunk.subarray(start, end)
        start = end + 1
        const line = parts.length === 0 ? tail : Buffer.concat([...parts, tail])
        parts = []
        pendingBytes = 0
        const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8').trim()
        if (text !== '') onLine(text)
      }
      if (start < chunk.length) {
        parts.push(chunk.subarray(start))
        pendingBytes += chunk.length - start
      }
    },
  }
}
