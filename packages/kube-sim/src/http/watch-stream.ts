import type { ServerResponse } from 'node:http'
import type { Clock } from '@scantling/provider-kit'
import type { KubeObject, Status } from '../face.ts'
import { bookmarkObject } from '../server/in-process.ts'
import type { ServedResource } from '../server/registry.ts'
import type { WatchMessage, WatchSink } from '../server/watching.ts'
import { jsonBytes } from './bytes.ts'
import { partialMetadata, tableOf, type IncludeObject, type Shape } from './table.ts'

const lineEnd = Buffer.from('}\n')
const batchBytes = 256 * 1024

/** A watcher on its way to a socket. */
export interface WatchStream {
  readonly sink: WatchSink
  /** To be called with the watch's stop function once it runs; it is called when the client goes away. */
  readonly attach: (stop: () => void) => void
}

/**
 * Writes watch events as lines of JSON.
 *
 * Messages wait as references to shared objects, never as bytes, and go out as fast as the socket takes them. A client
 * that falls `limit` messages behind is cut off; it lists again, as it would after any broken connection.
 */
export const createWatchStream = (
  response: ServerResponse,
  served: ServedResource,
  options: {
    readonly clock: Clock
    readonly shape: Shape
    readonly include: IncludeObject
    readonly limit: number
  },
): WatchStream => {
  let queue: WatchMessage[] = []
  let position = 0
  let scheduled = false
  let blocked = false
  let ending = false
  let sentColumns = false
  // What the watch sent before it was attached is its initial state: that may be larger than the limit.
  let allowance = Number.POSITIVE_INFINITY
  let stop: () => void = () => undefined

  const row = (object: KubeObject): object => {
    const withColumns = !sentColumns
    sentColumns = true
    return tableOf(served.type, [object], {
      metadata: { resourceVersion: object.metadata.resourceVersion },
      nowMs: options.clock.nowMs(),
      include: options.include,
      withColumns,
    })
  }
  const body = (message: WatchMessage): Buffer => {
    switch (message.type) {
      case 'ERROR':
        return Buffer.from(JSON.stringify(message.status satisfies Status))
      case 'BOOKMARK':
        return Buffer.from(JSON.stringify(bookmarkOf(message)))
      default:
        if (options.shape === 'table') return Buffer.from(JSON.stringify(row(message.object)))
        if (options.shape === 'metadata') return Buffer.from(JSON.stringify(partialMetadata(message.object)))
        return jsonBytes(message.object)
    }
  }
  const bookmarkOf = (message: WatchMessage & { readonly type: 'BOOKMARK' }): object => {
    if (options.shape === 'object') return bookmarkObject(message, served.apiVersion, served.type.kind)
    const bookmark = bookmarkObject(
      message,
      'meta.k8s.io/v1',
      options.shape === 'table' ? 'Table' : 'PartialObjectMetadata',
    )
    return options.shape === 'table' ? { ...bookmark, columnDefinitions: null, rows: [] } : bookmark
  }
  const pump = () => {
    scheduled = false
    while (!blocked && position < queue.length && !response.destroyed) {
      const parts: Buffer[] = []
      let size = 0
      while (position < queue.length && size < batchBytes) {
        const message = queue[position++] as WatchMessage
        const head = Buffer.from(`{"type":"${message.type}","object":`)
        const object = body(message)
        parts.push(head, object, lineEnd)
        size += head.length + object.length + lineEnd.length
      }
      blocked = !response.write(Buffer.concat(parts, size))
    }
    if (position === queue.length) {
      queue = []
      position = 0
      if (ending && !blocked) response.end()
    } else if (position > 4096) {
      queue = queue.slice(position)
      position = 0
    }
  }
  const schedule = () => {
    if (scheduled || blocked) return
    scheduled = true
    setImmediate(pump)
  }
  response.on('drain', () => {
    blocked = false
    pump()
  })
  response.on('close', () => {
    queue = []
    position = 0
    stop()
  })
  return {
    sink: {
      onMessage: (message) => {
        if (response.destroyed) return
        queue.push(message)
        if (queue.length - position > allowance) {
          stop()
          response.destroy()
        } else schedule()
      },
      onEnd: () => {
        ending = true
        schedule()
      },
    },
    attach: (stopWatch) => {
      stop = stopWatch
      allowance = queue.length - position + options.limit
      if (response.destroyed) stop()
    },
  }
}
