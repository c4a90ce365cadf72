import type {
  Call,
  Convergence,
  Instance,
  InstanceList,
  InstanceRef,
  Launched,
  LaunchFailure,
  LaunchRequest,
  ManagedInstance,
  ProviderError,
} from '@scantling/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AzureDetails } from '../instances/index.ts'
import type { AksNodeClass } from '../node-class/index.ts'
import type { LaunchPlan } from './plan.ts'

/** A launch with everything that was decided before anything is asked of Azure. */
export interface PlannedLaunch {
  readonly request: LaunchRequest<AksNodeClass>
  readonly plan: LaunchPlan
}

/**
 * One way of making nodes: VMs that we set up, or machines of AKS (Z-CP-05, Z-MACH-21).
 *
 * The setting provision mode says by which of them nodes are launched; whoever else there is goes on to look after its
 * own. The members mean what those of `CloudProvider` do.
 */
export interface LaunchPath {
  /** Whether the instance is of this path, told by its id and its claim alone. */
  readonly owns: (target: InstanceRef) => boolean
  /**
   * Begins to make the one instance of a claim, under a name that follows from the claim's, so that no claim ever has two.
   *
   * An instance of that name from before is answered with as it is, whatever the plan says. After a Left nothing of the
   * launch is left that `list` does not show or a task does not collect. Never called twice at once for one claim.
   */
  readonly launch: (planned: PlannedLaunch, call: Call) => TaskEither<LaunchFailure, Launched<AzureDetails>>
  /** Errors: `InstanceNotFound` only when surely absent. Many at once share their requests. */
  readonly get: (target: InstanceRef, call: Call) => TaskEither<ProviderError, Instance<AzureDetails>>
  readonly list: (call: Call) => TaskEither<ProviderError, InstanceList<AzureDetails>>
  readonly terminate: (target: InstanceRef, call: Call) => TaskEither<ProviderError, 'Started' | 'Gone'>
  /** `subject.instance` comes fresh from `get`. */
  readonly converge: (
    subject: ManagedInstance<AksNodeClass, AzureDetails>,
    call: Call,
  ) => TaskEither<ProviderError, Convergence>
}
