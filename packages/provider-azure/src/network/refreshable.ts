import type { CancelSignal } from '@scantling/core'
import { memoize } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/** A value, and which reading of it this is. */
export interface Reading<A> {
  readonly value: A
  readonly generation: number
}

/** Something of the cluster's that hardly ever changes, read once for all and again when it proves wrong. */
export interface Refreshable<Err, A> {
  readonly current: (signal: CancelSignal) => TaskEither<Err, Reading<A>>
  /** The value after the given reading: the first who finds a reading wrong has it read anew, the others share that (Z-NET-02). */
  readonly after: (reading: Reading<A>, signal: CancelSignal) => TaskEither<Err, Reading<A>>
}

const isCancelled = ({ code }: { readonly code?: string }): boolean => code === 'Cancelled'

export const refreshable = <Err extends { readonly code?: string }, A>(options: {
  readonly load: (signal: CancelSignal) => TaskEither<Err, A>
  readonly ttlMs: number
  readonly nowMs: () => number
}): Refreshable<Err, A> => {
  const { load, ttlMs, nowMs } = options
  let generation = 0
  const readings = memoize<CancelSignal, Err, Reading<A>>({
    idOf: () => '',
    ttlMs,
    nowMs,
    load: (signal) => async () => {
      const own = ++generation
      return E.map((value: A) => ({ value, generation: own }))(await load(signal)())
    },
  })
  const current = (signal: CancelSignal) => async () => {
    const read = await readings.get(signal)()
    // Whoever asked first may have left, and its reading with it; the others have not.
    return E.isLeft(read) && !signal.aborted && isCancelled(read.left) ? readings.get(signal)() : read
  }
  return {
    current,
    after: (reading, signal) => () => {
      if (readings.peek(signal)?.generation === reading.generation) readings.drop(signal)
      return current(signal)()
    },
  }
}
