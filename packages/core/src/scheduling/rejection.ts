import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { Pod } from '../cluster/index.ts'

/** Why a pod has no place, for a person to act on. Text is made from it by `explain`. */
export interface Rejection {
  readonly pod: Pod
  /** `ignored`: refused before scheduling (P-ELG). `unplaced`: tried and found no place. `deferred`: waits by design. */
  readonly verdict: 'ignored' | 'unplaced' | 'deferred'
  readonly reasons: ReadonlyNonEmptyArray<Reason>
  /** Whether time alone may help (capacity comes back, a claim gets its zone), or only a change by someone. */
  readonly mayResolveByWaiting: boolean
}

/** One candidate's reason, or one of the pod's own. */
export interface Reason {
  readonly _tag: string
}
