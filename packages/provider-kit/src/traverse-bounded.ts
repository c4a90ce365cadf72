import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/**
 * Runs a task for each item, at most `limit` at a time, and collects the results in the order of the items.
 *
 * `TE.traverseArray` starts everything at once, which no cloud thanks you for.
 *
 * Errors: the first Left in time. After it nothing new is started, and what runs is waited for, so that no effect goes
 * on behind the caller's back. The same holds for a task that rejects.
 */
export const traverseBounded =
  <A, Err, B>(
    limit: number,
    run: (item: A, index: number) => TaskEither<Err, B>,
  ): ((items: ReadonlyArray<A>) => TaskEither<Err, ReadonlyArray<B>>) =>
  (items) =>
  async () => {
    const results: Array<B> = new Array<B>(items.length)
    let next = 0
    let failure: E.Left<Err> | undefined
    let isBroken = false
    const work = async () => {
      while (next < items.length && failure === undefined && !isBroken) {
        const index = next++
        const result = await run(items[index] as A, index)().catch((bug: unknown) => {
          isBroken = true
          throw bug
        })
        if (E.isRight(result)) results[index] = result.right
        else failure ??= result
      }
    }
    const ended = await Promise.allSettled(Array.from({ length: Math.min(Math.max(1, limit), items.length) }, work))
    for (const worker of ended) if (worker.status === 'rejected') throw worker.reason
    return failure ?? E.right(results)
  }
