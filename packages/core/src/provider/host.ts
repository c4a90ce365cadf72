import type { JsonObject } from '../instance/index.ts'
import type { Labels } from '../labels/index.ts'
import type { ClusterFacts } from './cluster-facts.ts'

/** What the shell lends a provider for its lifetime. */
export interface ProviderHost {
  readonly clock: {
    readonly nowMs: () => number
    readonly sleep: (ms: number, signal: CancelSignal) => Promise<void>
  }
  /** Uniform in [0, 1), from the shell's seed. */
  readonly random: () => number
  /** A counter adds the value, a gauge takes it, a histogram observes it; `undefined` drops the series. */
  readonly record: (metric: MetricSpec, value: number | undefined, labels: Labels) => void
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: JsonObject) => void
  /** The shell's feature gates. */
  readonly gates: Readonly<Record<string, boolean>>
  /** End of the process: flush batches, then reject. */
  readonly shutdown: CancelSignal
}

/** A metric of a provider's own. `name` is whole, prefix included; a metric not declared is refused. */
export interface MetricSpec {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: ReadonlyArray<string>
  readonly buckets?: ReadonlyArray<number>
}

/** What every call to a provider carries. Aborting `signal` ends the waiting; the effect may have happened. */
export interface Call {
  readonly signal: CancelSignal
  readonly cluster: ClusterFacts
}

/** The part of AbortSignal that is used here; core has neither DOM nor Node types. */
export interface CancelSignal {
  readonly aborted: boolean
  readonly addEventListener: (type: 'abort', listener: () => void) => void
  readonly removeEventListener: (type: 'abort', listener: () => void) => void
}
