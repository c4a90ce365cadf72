import type { Clock } from '@scantling/provider-kit'

import type { Face } from '../face.ts'
import type { Agenda } from './agenda.ts'
import type { EventRecorder } from './event-recorder.ts'
import type { Informers } from './informer.ts'
import { keyedQueue, type KeyedQueue } from './keyed-queue.ts'
import type { Random } from './random.ts'

/** What every controller is given. */
export interface Cluster {
  readonly face: Face
  readonly clock: Clock
  readonly agenda: Agenda
  readonly informers: Informers
  readonly events: EventRecorder
  readonly random: Random
  /** Told of every failure that is retried, with the controller and the key. */
  readonly onError: (error: unknown, controller: string, key: string) => void
}

/** A controller that runs: stopping it resolves when nothing of it is under way. */
export interface Running {
  readonly stop: () => Promise<void>
}

/** A queue whose failures go to `cluster.onError` under the controller's name. */
export const queueOf = (
  { agenda, clock, onError }: Cluster,
  controller: string,
  process: (key: string) => Promise<void>,
  width?: number,
): KeyedQueue =>
  keyedQueue({
    agenda,
    clock,
    process,
    onError: (error, key) => onError(error, controller, key),
    ...(width === undefined ? {} : { width }),
  })
