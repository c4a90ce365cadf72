/** The failure of an {@link invariant}: a bug in this library or in its caller, never a condition to handle. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
}

/** States what must hold here; stays on in production. The message is a noun phrase: 'node index within snapshot'. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(`Expected ${message}`)
}

/** The arm of an exhaustive `switch` that no value reaches. */
export const absurd = (value: never): never => {
  throw new InvariantViolation(`Expected no such case: ${JSON.stringify(value)}`)
}
