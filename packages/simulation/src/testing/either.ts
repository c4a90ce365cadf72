import * as E from 'fp-ts/lib/Either.js'

/** The right; throws with the left where there is none. */
export const rightOf = <L, A>(either: E.Either<L, A>): A => {
  if (E.isLeft(either)) throw new Error(`Expected a right, got ${JSON.stringify(either.left)}`)
  return either.right
}

/** The left; throws with the right where there is none. */
export const leftOf = <L, A>(either: E.Either<L, A>): L => {
  if (E.isRight(either)) throw new Error(`Expected a left, got ${JSON.stringify(either.right)}`)
  return either.left
}
