/** Runs one piece of work after another for each key; different keys do not wait for each other. */
export type Turns = <A>(key: string, work: () => Promise<A>) => Promise<A>

/** Keys are forgotten as soon as nobody waits for a turn at them. */
export const makeTurns = (): Turns => {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    // What became of the turn before is told to whoever took it.
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work)
    last.set(key, turn)
    try {
      return await turn
    } finally {
      if (last.get(key) === turn) last.delete(key)
    }
  }
}
