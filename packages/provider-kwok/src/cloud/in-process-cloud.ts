import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { CloudError, KwokCloud } from './kwok-cloud.ts'
import type { SimulatedCloud } from './simulated-cloud.ts'

// How often an in-process `receive` looks for messages while it waits.
const lookEveryMs = 1000

/** The port onto a cloud in the same process; waiting goes by the given clock. */
export const inProcessCloud = (
  cloud: SimulatedCloud,
  clock: { readonly nowMs: () => number; readonly sleep: (ms: number, signal: CancelSignal) => Promise<void> },
): KwokCloud => {
  const answer =
    <A>(signal: CancelSignal, run: () => E.Either<CloudError, A>) =>
    async (): Promise<E.Either<CloudError, A>> =>
      signal.aborted ? E.left({ code: 'Cancelled', message: 'The call was cancelled before it began' }) : run()
  return {
    launch: (input, signal) => answer(signal, () => cloud.launch(input)),
    terminate: (id, signal) => answer(signal, () => cloud.terminate(id)),
    get: (id, signal) => answer(signal, () => cloud.get(id)),
    list: (input, signal) => answer(signal, () => cloud.list(input)),
    catalog: (known, signal) => answer(signal, () => cloud.catalog(known)),
    acknowledge: (receipts, signal) => answer(signal, () => cloud.acknowledge(receipts)),
    receive: (waitMs, signal) => async () => {
      const untilMs = clock.nowMs() + waitMs
      for (;;) {
        if (signal.aborted) return E.left({ code: 'Cancelled', message: 'The wait for messages was cancelled' })
        const received = cloud.receive()
        const leftMs = untilMs - clock.nowMs()
        if (E.isLeft(received) || received.right.length > 0 || leftMs <= 0) return received
        const woken = await clock.sleep(Math.min(lookEveryMs, leftMs), signal).then(
          () => true,
          () => false,
        )
        if (!woken) return E.left({ code: 'Cancelled', message: 'The wait for messages was cancelled' })
      }
    },
  }
}
