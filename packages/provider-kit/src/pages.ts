import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/** One page of a list, and how to ask for the next. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next?: string
}

/**
 * All items of a list that comes in pages, in order.
 *
 * Errors: the first page that fails fails the whole: a partial list would read as if the rest were gone. So does a
 * cloud that returns the same page token twice in a row, which would never end.
 */
export const pages =
  <Err, A>(
    fetch: (page: string | undefined) => TaskEither<Err, Page<A>>,
    endless: (page: string) => Err,
  ): TaskEither<Err, ReadonlyArray<A>> =>
  async () => {
    const items: Array<A> = []
    let page: string | undefined
    for (;;) {
      const fetched = await fetch(page)()
      if (E.isLeft(fetched)) return fetched
      for (const item of fetched.right.items) items.push(item)
      const { next } = fetched.right
      if (next === undefined) return E.right(items)
      if (next === page) return E.left(endless(next))
      page = next
    }
  }
