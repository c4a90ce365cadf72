/** Lets at most `limit` tasks run at once; the others wait their turn in order. */
export const gate = (limit: number): (<A>(run: () => Promise<A>) => Promise<A>) => {
  let running = 0
  const waiting: Array<() => void> = []
  return async (run) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
    try {
      return await run()
    } finally {
      // The place goes to whoever waits; the count stays.
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
