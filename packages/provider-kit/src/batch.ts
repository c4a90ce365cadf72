import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

export interface BatchOptions<A, Err, B> {
  /** Calls of one key may share a batch. */
  readonly keyOf: (input: A) => string
  /** A batch leaves this long after its latest call … */
  readonly idleMs: number
  /** … and at the latest this long after its first. */
  readonly maxMs: number
  /** A full batch leaves at once. */
  readonly maxItems: number
  readonly clock: {
    readonly nowMs: () => number
    readonly sleep: (ms: number, signal: CancelSignal) => Promise<void>
  }
  /**
   * Carries out a batch, with one result for each input, in their order. Its signal aborts when no caller is left, not
   * when one of them leaves.
   */
  readonly run: (inputs: ReadonlyArray<A>, signal: CancelSignal) => TaskEither<Err, ReadonlyArray<E.Either<Err, B>>>
  readonly cancelled: () => Err
  /** The error of an input for which `run` gave no result. */
  readonly unanswered: () => Err
}

interface Member<A, Err, B> {
  readonly input: A
  readonly settle: (result: E.Either<Err, B>) => void
  readonly fail: (bug: unknown) => void
}

interface Open<A, Err, B> {
  readonly members: Set<Member<A, Err, B>>
  readonly closesAtMs: number
  leavesAtMs: number
  /** Aborts when no more members fit. */
  readonly full: AbortController
  /** Aborts when no member is left. */
  readonly gone: AbortController
}

/**
 * Turns calls that come close together into one call of many, each caller with a result of its own.
 *
 * A caller whose signal aborts leaves with `cancelled`; before the batch left, its input goes with it. A failure of the
 * whole is every member's failure; a bug in `run` rejects every member's promise.
 *
 * Cost: one timer per open batch.
 */
export const batch = <A, Err, B>(
  options: BatchOptions<A, Err, B>,
): ((input: A, signal: CancelSignal) => TaskEither<Err, B>) => {
  const { keyOf, idleMs, maxMs, maxItems, clock, run } = options
  const open = new Map<string, Open<A, Err, B>>()

  const leave = async (group: Open<A, Err, B>) => {
    const members = [...group.members]
    if (members.length === 0) return
    try {
      const answer = await run(
        members.map(({ input }) => input),
        group.gone.signal,
      )()
      members.forEach(({ settle }, index) =>
        settle(E.isLeft(answer) ? answer : (answer.right[index] ?? E.left(options.unanswered()))),
      )
    } catch (bug) {
      for (const { fail } of members) fail(bug)
    }
  }

  const wait = async (key: string, group: Open<A, Err, B>) => {
    while (!group.full.signal.aborted && clock.nowMs() < group.leavesAtMs)
      // A full batch wakes the sleeper, which rejects; either way the batch leaves.
      await clock.sleep(group.leavesAtMs - clock.nowMs(), group.full.signal).catch(() => undefined)
    if (open.get(key) === group) open.delete(key)
  }

  const join = (key: string): Open<A, Err, B> => {
    const nowMs = clock.nowMs()
    const present = open.get(key)
    if (present !== undefined) {
      present.leavesAtMs = Math.min(nowMs + idleMs, present.closesAtMs)
      return present
    }
    const group: Open<A, Err, B> = {
      members: new Set(),
      closesAtMs: nowMs + maxMs,
      leavesAtMs: nowMs + Math.min(idleMs, maxMs),
      full: new AbortController(),
      gone: new AbortController(),
    }
    open.set(key, group)
    void wait(key, group).then(() => leave(group))
    return group
  }

  return (input, signal) => () =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return resolve(E.left(options.cancelled()))
      const key = keyOf(input)
      const group = join(key)
      const end = () => {
        signal.removeEventListener('abort', abort)
        group.members.delete(member)
      }
      const member: Member<A, Err, B> = {
        input,
        settle: (result) => {
          end()
          resolve(result)
        },
        fail: (bug) => {
          end()
          reject(bug instanceof Error ? bug : new Error(String(bug)))
        },
      }
      const abort = () => {
        member.settle(E.left(options.cancelled()))
        if (group.members.size > 0) return
        if (open.get(key) === group) open.delete(key)
        group.full.abort()
        group.gone.abort()
      }
      signal.addEventListener('abort', abort)
      group.members.add(member)
      if (group.members.size >= maxItems) {
        open.delete(key)
        group.full.abort()
      }
    })
}
