import type { VirtualClock } from '@scantling/provider-kit'
import { overSockets } from '@scantling/simulation/testing'
import type { Reach } from './conformance-subject.ts'
import { startEmulator, type World } from './emulator/index.ts'
import { portsTo } from './sdk-ports.ts'

// The SDKs send a request again so often, and at once where the answer says so.
const tries = 4

/** Over the real SDKs and sockets. The cloud's time and the provider's stand still while a request is on its way. */
export const overHttps = async (world: World, clock: VirtualClock): Promise<Reach> => {
  const emulator = await startEmulator(world)
  const { counted, pass, drive } = overSockets(clock)
  return {
    ports: counted(portsTo(emulator)),
    tries,
    countCalls: () => emulator.calls.length,
    pass,
    drive,
    close: emulator.close,
  }
}
