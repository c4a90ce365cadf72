import type { ProviderHost } from '@scantling/core'
import { batch, type BatchOptions } from '@scantling/provider-kit'
import type { CancelSignal } from '@scantling/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { gate } from './gate.ts'
import { batchSeconds, batchSize } from './metrics.ts'
import type { AwsError } from './sdk/index.ts'

/** Batches that leave at once run beside one another, up to as many as this. */
const batchesAtOnce = 100

/** Windows of the reference: how long a batch waits for more after its latest member, after its first, and how many fit. */
export const windows = {
  createFleet: { idleMs: 35, maxMs: 1000, maxItems: 1000 },
  describeInstances: { idleMs: 100, maxMs: 1000, maxItems: 500 },
  terminateInstances: { idleMs: 100, maxMs: 1000, maxItems: 500 },
} as const

/** Calls to EC2 that share a request, counted and bounded. */
export const batched = <A, B>(options: {
  readonly name: 'create_fleet' | 'describe_instances' | 'terminate_instances'
  readonly action: string
  readonly window: { readonly idleMs: number; readonly maxMs: number; readonly maxItems: number }
  readonly host: Pick<ProviderHost, 'clock' | 'record'>
  readonly keyOf: (input: A) => string
  readonly run: BatchOptions<A, AwsError, B>['run']
}): ((input: A, signal: CancelSignal) => TaskEither<AwsError, B>) => {
  const { name, action, window, host, keyOf, run } = options
  const enter = gate(batchesAtOnce)
  const failure = (code: string, message: string): AwsError => ({ action, code, message })
  const openedAtMs = new Map<string, number>()
  const join = batch<A, AwsError, B>({
    keyOf,
    ...window,
    clock: host.clock,
    cancelled: () => failure('Cancelled', `${action} was cancelled`),
    unanswered: () => failure('UnreadableAnswer', `${action} gave fewer results than it was asked for`),
    run: (inputs, signal) => {
      const [first] = inputs
      const key = first === undefined ? '' : keyOf(first)
      const labels = { batcher: name }
      host.record(batchSize, inputs.length, labels)
      host.record(batchSeconds, (host.clock.nowMs() - (openedAtMs.get(key) ?? host.clock.nowMs())) / 1000, labels)
      openedAtMs.delete(key)
      return () => enter(run(inputs, signal))
    },
  })
  return (input, signal) => () => {
    const key = keyOf(input)
    if (!openedAtMs.has(key)) openedAtMs.set(key, host.clock.nowMs())
    return join(input, signal)()
  }
}
