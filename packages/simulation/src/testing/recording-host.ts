import type { ProviderHost } from '@scantling/core'
import { runUntilSettled, virtualClock, type VirtualClock } from '@scantling/provider-kit'
import type { Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

export interface Recorded {
  readonly metric: string
  readonly value: number | undefined
  readonly labels: Readonly<Record<string, string>>
}

export interface Logged {
  readonly level: string
  readonly message: string
  readonly fields: unknown
}

export interface RecordingHost {
  readonly host: ProviderHost
  readonly clock: VirtualClock
  readonly recorded: ReadonlyArray<Recorded>
  readonly logged: ReadonlyArray<Logged>
  /** Runs a task to its end, moving time as it waits. */
  readonly run: <L, A>(task: TaskEither<L, A>) => Promise<Either<L, A>>
}

/** When virtual time begins where nothing else is said. */
export const startMs = Date.UTC(2026, 5, 1)

/** A provider's host on virtual time that keeps what it is told. */
export const recordingHost = ({
  clock = virtualClock(startMs),
  gates = {},
}: {
  readonly clock?: VirtualClock | undefined
  readonly gates?: Readonly<Record<string, boolean>> | undefined
} = {}): RecordingHost => {
  const recorded: Array<Recorded> = []
  const logged: Array<Logged> = []
  const host: ProviderHost = {
    clock: { nowMs: clock.nowMs, sleep: clock.sleep },
    random: () => 0.5,
    record: ({ name }, value, labels) => void recorded.push({ metric: name, value, labels }),
    log: (level, message, fields) => void logged.push({ level, message, fields }),
    gates,
    shutdown: new AbortController().signal,
  }
  return { host, clock, recorded, logged, run: (task) => runUntilSettled(clock, task()) }
}
