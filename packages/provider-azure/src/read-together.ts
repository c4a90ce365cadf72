import type { CancelSignal, ProviderHost } from '@scantling/core'
import { batch, traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isNotFound } from './error-codes.ts'
import type { ArmError } from './sdk/index.ts'

// Up to this many are asked for one by one; more are looked up in one list.
const mostSingleReads = 3
const singlesAtOnce = 20
const window = { idleMs: 100, maxMs: 1_000, maxItems: 1_000 }

/**
 * Reads single resources together: what many ask for at a time is looked up in one list (W-10, W-11).
 *
 * A thousand machines on their way would otherwise be a thousand reads for each poll, which ARM answers with 429.
 *
 * Cost: one list for each batch, and one read for each resource that it misses where `isListWhole` is not said.
 * Errors: those of the list, for all; those of a single read, for the one. `undefined`: there is no such resource.
 */
export const readTogether = <A extends { readonly name?: string }>(options: {
  readonly action: string
  readonly get: (name: string, signal: CancelSignal) => TaskEither<ArmError, A>
  readonly list: (signal: CancelSignal) => TaskEither<ArmError, ReadonlyArray<A>>
  /** What is not on the list is surely not there. */
  readonly isListWhole?: true
  readonly clock: ProviderHost['clock']
}): ((name: string, signal: CancelSignal) => TaskEither<ArmError, A | undefined>) => {
  const { action, get, list, isListWhole, clock } = options
  const failure = (code: string, message: string): ArmError => ({ action, code, message, phase: 'request' })

  const readOne =
    (name: string, signal: CancelSignal): TaskEither<never, E.Either<ArmError, A | undefined>> =>
    async () => {
      const found = await get(name, signal)()
      return E.right(E.isLeft(found) && isNotFound(found.left) ? E.right(undefined) : found)
    }
  const readSingly = (names: ReadonlyArray<string>, signal: CancelSignal) =>
    traverseBounded<string, never, E.Either<ArmError, A | undefined>>(singlesAtOnce, (name) => readOne(name, signal))(
      names,
    )

  return batch<string, ArmError, A | undefined>({
    keyOf: () => '',
    ...window,
    clock,
    cancelled: () => failure('Cancelled', `${action} was cancelled`),
    unanswered: () => failure('UnreadableAnswer', `${action} gave fewer results than it was asked for`),
    run: (names, signal) => async () => {
      const distinct = [...new Set(names.map((name) => name.toLowerCase()))]
      const answers = new Map<string, E.Either<ArmError, A | undefined>>()
      if (distinct.length > mostSingleReads) {
        const listed = await list(signal)()
        if (E.isLeft(listed)) return listed
        for (const one of listed.right) answers.set((one.name ?? '').toLowerCase(), E.right(one))
        if (isListWhole === true)
          for (const name of distinct) if (!answers.has(name)) answers.set(name, E.right(undefined))
      }
      const missing = distinct.filter((name) => !answers.has(name))
      const singly = await readSingly(missing, signal)()
      if (E.isRight(singly)) singly.right.forEach((answer, index) => answers.set(missing[index] ?? '', answer))
      return E.right(names.map((name) => answers.get(name.toLowerCase()) ?? E.right(undefined)))
    },
  })
}
