import type { Labels } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import type { RequirementSpec } from '../requirements/index.ts'
import type { Taint } from '../taints/index.ts'

/** What a group of interchangeable nodes may be, as planners read it. */
export interface NodePool {
  readonly name: string
  readonly uid: string
  /** Higher goes first; 0 where the manifest gives none. */
  readonly weight: number
  /** Set: a static pool that keeps this many nodes whatever the demand. */
  readonly replicas?: number
  /** Absent: unlimited. */
  readonly limits?: ResourceList
  readonly nodeClass: NodeClassReference
  /** Whether the provider in charge supports this kind of NodeClass. */
  readonly isManaged: boolean
  readonly isReady: boolean
  readonly isDeleting: boolean
  readonly requirements: ReadonlyArray<RequirementSpec>
  readonly labels: Labels
  readonly annotations: Labels
  readonly taints: ReadonlyArray<Taint>
  readonly startupTaints: ReadonlyArray<Taint>
  /** Absent: Never. */
  readonly expireAfterMs?: number
  readonly terminationGracePeriodMs?: number
  readonly disruption: DisruptionPolicy
  /** Hash of the template, as stamped on the claims made from it. */
  readonly hash: string
}

export interface NodeClassReference {
  readonly group: string
  readonly kind: string
  readonly name: string
}

export interface DisruptionPolicy {
  readonly consolidationPolicy: 'WhenEmpty' | 'WhenEmptyOrUnderutilized' | 'Balanced'
  /** Absent: Never. */
  readonly consolidateAfterMs?: number
  readonly budgets: ReadonlyArray<Budget>
}

/** How many nodes may be disrupted at once, always or within a window. */
export interface Budget {
  /** A count or a percentage, as written. */
  readonly nodes: string
  /** Absent: every reason. */
  readonly reasons?: ReadonlyArray<'Underutilized' | 'Empty' | 'Drifted'>
  /** Cron in UTC at which the window opens; set together with `durationMs`. */
  readonly schedule?: string
  readonly durationMs?: number
}
