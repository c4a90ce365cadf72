import { type Snapshot, saveSnapshot } from '@scantling/core'
import { type Endpoint, text } from '../observability/index.ts'
import type { MemoryPressure } from '../runtime/index.ts'

export interface SnapshotEndpointOptions {
  /** What planners would read now; `undefined` while this replica does not plan. */
  readonly take: () => Promise<Snapshot | undefined>
  readonly memory: MemoryPressure
}

const piecesAtOnce = 64

/**
 * The snapshot that a pass would plan from now, for `scantling plan -f`.
 *
 * It is sent as it is written, with turns of the event loop in between, so that a large cluster takes neither memory nor
 * probes. One at a time.
 */
export const snapshotEndpoint = ({ take, memory }: SnapshotEndpointOptions): Endpoint => {
  let isWriting = false
  async function* written(snapshot: Snapshot): AsyncGenerator<string, void, void> {
    isWriting = true
    try {
      let buffer = ''
      let pieces = 0
      for (const piece of saveSnapshot(snapshot)) {
        buffer += piece
        if (++pieces % piecesAtOnce !== 0) continue
        if (buffer !== '') yield buffer
        buffer = ''
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
      yield buffer
    } finally {
      isWriting = false
    }
  }
  return async () => {
    if (isWriting) return text(503, 'another snapshot is being taken; wait for it\n')
    if (memory.isHigh()) return text(503, 'memory is short; try again when scantling_memory_pressure is 0\n')
    const snapshot = await take()
    return snapshot === undefined
      ? text(503, 'this replica does not plan yet: it has not synced, or another one leads; ask that one\n')
      : { status: 200, contentType: 'application/json', body: written(snapshot) }
  }
}
