import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { ClusterView } from './cluster-facts.ts'
import type { Call } from './host.ts'
import type { Interruption } from './interruption.ts'
import type { Notice } from './notice.ts'
import type { ProviderError } from './provider-error.ts'
import type { UnavailableMark } from './unavailable-mark.ts'

/** Work by the clock: keep a catalogue, sweep leftovers, poll health. */
export interface MaintenanceTask<C> {
  readonly name: string
  readonly everyMs: number
  /** `every-replica` keeps standbys warm: it only reads the cloud and gets an empty view. */
  readonly runsOn: 'leader' | 'every-replica'
  /** Where it runs, no other member of the provider is called before its first success. */
  readonly gatesReadiness?: true
  readonly run: (view: ClusterView<C>, call: Call) => TaskEither<ProviderError, Findings>
}

/** What a maintenance task learned. */
export interface Findings {
  readonly interruptions?: ReadonlyArray<Interruption>
  readonly unavailable?: ReadonlyArray<UnavailableMark>
  readonly notices?: ReadonlyArray<Notice>
}
