import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Call } from './host.ts'
import type { ProviderError } from './provider-error.ts'

/** A queue of events that concern instances. Begun after the first `list`. */
export interface InterruptionSource {
  /** A long poll of at most 30 s. What is not acknowledged comes again. */
  readonly receive: (call: Call) => TaskEither<ProviderError, ReadonlyArray<Delivery>>
  readonly acknowledge: (receipts: ReadonlyArray<string>, call: Call) => TaskEither<ProviderError, void>
}

/** One message of the queue; its `kind` is counted even if it interrupts nothing. */
export interface Delivery {
  readonly receipt: string
  readonly kind: string
  readonly sentAtMs?: number
  readonly interruptions: ReadonlyArray<Interruption>
}

/** Something that happens, or will, to an instance. */
export interface Interruption {
  /** Provider id or alias of any instance seen since start; others are ignored. */
  readonly id: string
  /** Names the event. */
  readonly kind: string
  /** `force`: grace ends now. */
  readonly action: 'notify' | 'drain' | 'force'
  /** Epoch time by which the machine is gone. */
  readonly deadlineMs?: number
  /** Marks the offering that the claim runs on as unavailable for this long. */
  readonly losesOfferingForMs?: number
  readonly message?: string
}
