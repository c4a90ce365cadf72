import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/** What one look found: the value, or to look again, sooner or later than usual where the cloud says so. */
export type Look<A> =
  { readonly _tag: 'Done'; readonly value: A } | { readonly _tag: 'Again'; readonly retryAfterMs?: number }

export interface PollOptions<Err> {
  readonly everyMs: number
  readonly timeoutMs: number
  readonly clock: {
    readonly nowMs: () => number
    readonly sleep: (ms: number, signal: CancelSignal) => Promise<void>
  }
  readonly signal: CancelSignal
  readonly timedOut: () => Err
  readonly cancelled: () => Err
}

/**
 * Looks until there is an answer, at once for the first time.
 *
 * Errors: the first Left of a look; `timedOut` when the next look would come after the time is up; `cancelled` when the
 * signal aborts in between.
 */
export const pollUntil =
  <Err, A>(look: TaskEither<Err, Look<A>>, options: PollOptions<Err>): TaskEither<Err, A> =>
  async () => {
    const { everyMs, timeoutMs, clock, signal } = options
    const untilMs = clock.nowMs() + timeoutMs
    for (;;) {
      if (signal.aborted) return E.left(options.cancelled())
      const found = await look()
      if (E.isLeft(found)) return found
      if (found.right._tag === 'Done') return E.right(found.right.value)
      const waitMs = found.right.retryAfterMs ?? everyMs
      if (clock.nowMs() + waitMs > untilMs) return E.left(options.timedOut())
      const isAwake = await clock.sleep(waitMs, signal).then(
        () => true,
        () => false,
      )
      if (!isAwake) return E.left(options.cancelled())
    }
  }
