import { systemClock, type VirtualClock } from '@scantling/provider-kit'
import type { AzurePorts } from '../src/sdk/index.ts'
import type { Reach } from './conformance-subject.ts'
import { startEmulator, type World } from './emulator/index.ts'
import { portsTo } from './sdk-ports.ts'

// The SDKs send a request again so often, and at once where the answer says so.
const tries = 4
const quietTurns = 3
const longestStepMs = 10_000

/** Over the real SDKs and sockets. The cloud's time and the provider's stand still while a request is on its way. */
export const overHttps = async (world: World, clock: VirtualClock): Promise<Reach> => {
  const emulator = await startEmulator(world)
  let underWay = 0
  const counted = <A extends object>(ports: A): A =>
    Object.fromEntries(
      Object.entries(ports).map(([name, member]) => [
        name,
        typeof member === 'object' && member !== null
          ? counted(member as object)
          : (...input: ReadonlyArray<unknown>) =>
              async () => {
                underWay += 1
                try {
                  return await (member as (...all: ReadonlyArray<unknown>) => () => Promise<unknown>)(...input)()
                } finally {
                  underWay -= 1
                }
              },
      ]),
    ) as A
  // What an answer sets going needs a few turns of the loop until it asks again, or waits for the clock.
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
    ports: counted<AzurePorts>(portsTo(emulator)),
    tries,
    countCalls: () => emulator.calls.length,
    pass: async (ms) => {
      for (const untilMs = clock.nowMs() + ms; clock.nowMs() < untilMs;) await step(untilMs - clock.nowMs())
      await untilQuiet()
    },
    drive: async (work) => {
      let isSettled = false
      const settled = work.finally(() => (isSettled = true))
      settled.catch(() => undefined)
      for (await untilQuiet(); !isSettled;) await step(longestStepMs)
      return work
    },
    close: emulator.close,
  }
}
