import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

export interface MemoizeOptions<K, Err, A> {
  readonly load: (key: K) => TaskEither<Err, A>
  readonly idOf: (key: K) => string
  /** How long a value is fresh. */
  readonly ttlMs: number
  /** How long past that a value still serves when loading fails. Default: not at all. */
  readonly staleMs?: number
  /** Beyond it the value unused for longest is dropped. Default: 1000. */
  readonly maxEntries?: number
  readonly nowMs: () => number
}

export interface Memoized<K, Err, A> {
  /** The fresh value, or a new one. Callers that come while it is being loaded share one load. */
  readonly get: (key: K) => TaskEither<Err, A>
  /** The value as last loaded, fresh or not, without waiting. */
  readonly peek: (key: K) => A | undefined
  /** Forgets one value; a load under way is not kept. */
  readonly drop: (key: K) => void
  readonly clear: () => void
}

interface Loading<Err, A> {
  result: Promise<E.Either<Err, A>> | undefined
}

/**
 * Remembers what a key loaded to, for a while.
 *
 * Errors are not remembered, save by those who share the load. A value that is past its time serves on through
 * failures for `staleMs`: an old price list is better than none.
 */
export const memoize = <K, Err, A>(options: MemoizeOptions<K, Err, A>): Memoized<K, Err, A> => {
  const { load, idOf, ttlMs, staleMs = 0, maxEntries = 1000, nowMs } = options
  const values = new Map<string, { readonly value: A; readonly loadedAtMs: number }>()
  const loads = new Map<string, Loading<Err, A>>()

  const touch = (id: string, entry: { readonly value: A; readonly loadedAtMs: number }) => {
    // Maps keep the order of insertion: put last what was used last.
    values.delete(id)
    values.set(id, entry)
    for (const oldest of values.keys()) {
      if (values.size <= maxEntries) break
      values.delete(oldest)
    }
  }
  const start = (key: K, id: string): Promise<E.Either<Err, A>> => {
    const own: Loading<Err, A> = { result: undefined }
    loads.set(id, own)
    const run = async (): Promise<E.Either<Err, A>> => {
      try {
        const loaded = await load(key)()
        if (E.isRight(loaded)) {
          if (loads.get(id) === own) touch(id, { value: loaded.right, loadedAtMs: nowMs() })
          return loaded
        }
        const last = values.get(id)
        return last !== undefined && nowMs() - last.loadedAtMs < ttlMs + staleMs ? E.right(last.value) : loaded
      } finally {
        // A load that was dropped is not the one that later callers wait for.
        if (loads.get(id) === own) loads.delete(id)
      }
    }
    own.result = run()
    return own.result
  }

  return {
    get: (key) => () => {
      const id = idOf(key)
      const present = values.get(id)
      if (present !== undefined && nowMs() - present.loadedAtMs < ttlMs) {
        touch(id, present)
        return Promise.resolve(E.right(present.value))
      }
      return loads.get(id)?.result ?? start(key, id)
    },
    peek: (key) => values.get(idOf(key))?.value,
    drop: (key) => {
      values.delete(idOf(key))
      loads.delete(idOf(key))
    },
    clear: () => {
      values.clear()
      loads.clear()
    },
  }
}
