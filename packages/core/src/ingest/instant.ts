import * as E from 'fp-ts/lib/Either.js'

import { invariant } from '../internal/index.ts'
import { Time } from '../time/index.ts'

/** The instant that decoded text states, or `undefined` where there is none. */
export const optionalInstantMs = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const parsed = Time.parseInstant(text)
  invariant(E.isRight(parsed), `a decoded instant: ${text}`)
  return parsed.right
}

/** The same with the epoch for what was never stamped, such as an object from a file. */
export const instantMs = (text: string | undefined): number => optionalInstantMs(text) ?? 0

/** The duration that decoded text states; `Never` and absence are `undefined`. */
export const durationMs = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const parsed = Time.parseNillableDuration(text)
  invariant(E.isRight(parsed), `a decoded duration: ${text}`)
  return parsed.right
}
