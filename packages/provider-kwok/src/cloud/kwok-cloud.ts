import type { CancelSignal } from '@scantling/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CatalogEntry } from '../catalog/index.ts'

/**
 * The calls that the provider makes to the simulated cloud, and no more.
 *
 * Two implementations: over loopback HTTP, and in the same process. Aborting the signal ends the waiting with the code
 * `Cancelled`; the effect may have happened.
 */
export interface KwokCloud {
  /** Idempotent by token: an instance that was ever started with it is the answer, whatever else is asked for. */
  readonly launch: (input: LaunchInput, signal: CancelSignal) => TaskEither<CloudError, CloudInstance>
  /** Begins the end of an instance. Errors: `InstanceNotFound` once it has ended. */
  readonly terminate: (id: string, signal: CancelSignal) => TaskEither<CloudError, CloudInstance>
  /** By id or by name. Errors: `InstanceNotFound`, also of an instance that has ended. */
  readonly get: (id: string, signal: CancelSignal) => TaskEither<CloudError, CloudInstance>
  /** Instances that have not ended, oldest first, a page at a time. */
  readonly list: (input: ListInput, signal: CancelSignal) => TaskEither<CloudError, InstancePage>
  /** Types and today's prices; without entries when `known` is today's version. */
  readonly catalog: (known: string | undefined, signal: CancelSignal) => TaskEither<CloudError, CatalogPage>
  /** Messages that wait, or the first ones to come within `waitMs`. What is not acknowledged comes again. */
  readonly receive: (waitMs: number, signal: CancelSignal) => TaskEither<CloudError, ReadonlyArray<CloudMessage>>
  readonly acknowledge: (receipts: ReadonlyArray<string>, signal: CancelSignal) => TaskEither<CloudError, void>
}

export interface LaunchInput {
  readonly token: string
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: string
  readonly tags: Readonly<Record<string, string>>
  /** Added to the cloud's own boot and registration latency. */
  readonly registrationDelayMs?: number
}

export interface ListInput {
  /** Instances whose tags include all of these. */
  readonly tags: Readonly<Record<string, string>>
  readonly page?: string
  readonly limit?: number
}

export interface InstancePage {
  readonly instances: ReadonlyArray<CloudInstance>
  /** Absent: this was the last page. */
  readonly nextPage?: string
}

/** A machine of the simulated cloud. */
export interface CloudInstance {
  /** `i-` and 17 hexadecimal digits. */
  readonly id: string
  /** The host name, and so the Node's. */
  readonly name: string
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: string
  readonly pricePerHour: number
  readonly tags: Readonly<Record<string, string>>
  /** `stopped`: switched off without ending; only a termination follows. */
  readonly state: 'pending' | 'running' | 'stopped' | 'terminating' | 'terminated'
  readonly launchedAtMs: number
  /** Booted and registered from then on. */
  readonly runningAtMs: number
  /** When it was switched off, or will be. */
  readonly stopsAtMs?: number
  /** When it ended, or will: a termination or an interruption is under way. */
  readonly endsAtMs?: number
}

export interface CatalogPage {
  readonly version: string
  readonly entries?: ReadonlyArray<CatalogEntry>
}

/** What a message announces; only a recommendation takes no machine away. */
export type MessageKind =
  'SpotInterruption' | 'RebalanceRecommendation' | 'ScheduledMaintenance' | 'InstanceStopped' | 'InstanceTerminated'

export interface CloudMessage {
  readonly receipt: string
  readonly kind: MessageKind
  /** The machine's id and its name. */
  readonly instance: string
  readonly name: string
  readonly sentAtMs: number
  /** When the machine is taken away. */
  readonly deadlineMs?: number
}

/** Codes as clouds have them; `error-codes.ts` of the provider says what each means to the shell. */
export type CloudErrorCode =
  | 'InsufficientInstanceCapacity'
  | 'InstanceLimitExceeded'
  | 'InstanceNotFound'
  | 'InstanceEnded'
  | 'InvalidParameter'
  | 'RequestLimitExceeded'
  | 'Unauthorized'
  | 'InternalError'
  | 'Unreachable'
  | 'Cancelled'

export interface CloudError {
  readonly code: CloudErrorCode | (string & {})
  readonly message: string
  readonly retryAfterMs?: number
  readonly cause?: unknown
}
