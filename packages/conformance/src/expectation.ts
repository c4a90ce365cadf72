import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'

/** What a check throws: the promise of the port that was broken, and what was seen instead. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure'
}

export const fail = (sentence: string): never => {
  throw new ConformanceFailure(sentence)
}

export function expectTrue(condition: boolean, sentence: string): asserts condition {
  if (!condition) fail(sentence)
}

export const expectEqual = (seen: unknown, wanted: unknown, what: string): void => {
  if (!isDeepStrictEqual(seen, wanted)) fail(`${what}: expected ${show(wanted)}, got ${show(seen)}`)
}

export const show = (value: unknown): string => {
  const text = JSON.stringify(value, (_, member: unknown) => (member instanceof Map ? [...member] : member)) as
    string | undefined
  return text === undefined ? String(value) : text.length > 400 ? `${text.slice(0, 400)}…` : text
}

export const rightOf = <L, A>(result: E.Either<L, A>, what: string): A =>
  E.isRight(result) ? result.right : fail(`${what} failed: ${show(result.left)}`)

export const leftOf = <L, A>(result: E.Either<L, A>, what: string): L =>
  E.isLeft(result) ? result.left : fail(`${what} should have failed, and answered ${show(result.right)}`)

// Counted in short waits: where this process did not come to run, neither did the work.
const promptWaits = 15
const waitMs = 100

const waitShortly = async (signal: AbortSignal): Promise<void> => {
  for (let wait = 0; wait < promptWaits; wait += 1) await systemClock.sleep(waitMs, signal)
}

/** The result of work that needs no time to pass. */
export const promptly = async <A>(work: Promise<A>, what: string): Promise<A> => {
  const late = new AbortController()
  const timeout = waitShortly(late.signal).then(
    () => fail(`${what} went on waiting`),
    () => fail('unreachable'),
  )
  timeout.catch(() => undefined)
  try {
    return await Promise.race([work, timeout])
  } finally {
    late.abort()
  }
}

/** Where a value is more than JSON; `undefined` when it is JSON. Members that are `undefined` count as absent. */
export const notJsonAt = (value: unknown, path: string): string | undefined => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${path} is ${value}`
  if (typeof value !== 'object') return `${path} is a ${typeof value}`
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = notJsonAt(item, `${path}[${index}]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    return `${path} is a ${(value as object).constructor.name}`
  for (const [key, member] of Object.entries(value)) {
    const found = member === undefined ? undefined : notJsonAt(member, `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

const sentence = /^[A-Z"'(][^]*[^.\s]$/

/** Text that people read: it begins with a capital letter and ends without a period. */
export const expectSentence = (text: string, what: string): void =>
  expectTrue(sentence.test(text), `${what} should be a sentence without a final period: ${JSON.stringify(text)}`)

const reason = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/

/** A reason as Kubernetes takes it for a condition. */
export const expectReason = (text: string, what: string): void =>
  expectTrue(reason.test(text), `${what} cannot be the reason of a condition: ${JSON.stringify(text)}`)
