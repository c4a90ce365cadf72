import { systemClock, type VirtualClock } from '@scantling/provider-kit'

// What an answer sets going needs a few turns of the loop until it asks again, or waits for the clock.
const quietTurns = 3
const longestStepMs = 10_000

/** A virtual clock beside real requests: it stands still while one is on its way. */
export interface OverSockets {
  /** The ports, whose requests hold the clock. */
  readonly counted: <Ports extends object>(ports: Ports) => Ports
  readonly pass: (ms: number) => Promise<void>
  /** Lets time pass until the work has settled. */
  readonly drive: <A>(work: Promise<A>) => Promise<A>
}

/** Ports are records, nested or not, of functions that give tasks. */
export const overSockets = (clock: VirtualClock): OverSockets => {
  let underWay = 0
  const counted = <Ports extends object>(ports: Ports): Ports =>
    Object.fromEntries(
      Object.entries(ports).map(([name, member]: [string, unknown]) => {
        if (typeof member === 'object' && member !== null) return [name, counted(member)]
        if (typeof member !== 'function') return [name, member]
        const request = async (input: ReadonlyArray<unknown>): Promise<unknown> => {
          underWay += 1
          try {
            return await (member as (...all: ReadonlyArray<unknown>) => () => Promise<unknown>)(...input)()
          } finally {
            underWay -= 1
          }
        }
        return [
          name,
          (...input: ReadonlyArray<unknown>) =>
            () =>
              request(input),
        ]
      }),
    ) as Ports
  const untilQuiet = async () => {
    for (let turns = 0; turns < quietTurns; turns += 1) {
      await (underWay > 0 ? systemClock.sleep(1) : new Promise((resolve) => setImmediate(resolve)))
      if (underWay > 0) turns = -1
    }
  }
  const step = async (mostMs: number) => {
    await untilQuiet()
    await clock.advance(Math.min(mostMs, Math.max(1, clock.nextTimerMs() ?? mostMs)))
  }
  return {
    counted,
    pass: async (ms) => {
      const untilMs = clock.nowMs() + ms
      while (clock.nowMs() < untilMs) await step(untilMs - clock.nowMs())
      await untilQuiet()
    },
    drive: async (work) => {
      let isSettled = false
      const settled = work.finally(() => (isSettled = true))
      settled.catch(() => undefined)
      await untilQuiet()
      while (!isSettled) await step(longestStepMs)
      return work
    },
  }
}
