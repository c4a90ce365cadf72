import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { InstanceType } from '../instance/index.ts'
import type { MaintenanceTask } from './findings.ts'
import type { Call } from './host.ts'
import type { Instance, InstanceList, InstanceRef, ManagedInstance } from './instance.ts'
import type { InterruptionSource } from './interruption.ts'
import type { LabelPolicy } from './label-policy.ts'
import type { Launched, LaunchFailure, LaunchRequest } from './launch.ts'
import type { NodeClassObject } from './node-class.ts'
import type { ProviderError } from './provider-error.ts'
import type { Convergence, DriftVerdict, Resolution, ResolveInput } from './resolution.ts'

/**
 * One cloud, as the shell calls it. The first four members are required.
 *
 * Left = an expected failure; a rejected promise = a bug. Calls may run in parallel, except: one `resolve` or `release`
 * per NodeClass, one `converge` or `terminate` per instance, and no task overlaps itself. Retrying is the shell's work.
 * Aborting `call.signal` ends the waiting; the effect may have happened.
 */
export interface CloudProvider<C extends NodeClassObject, D = unknown> {
  /**
   * Every type that this NodeClass could ever launch, those with no usable offering included (P-CPI-02).
   *
   * A function of spec, status, `call.cluster` and the catalogue that tasks keep, without I/O once that is loaded.
   * While nothing changed: the same array and the same type objects (`===`), since the shell compiles by identity.
   * The shell adds overlays, failed offerings, learned memory, reservations in flight, and `DoesNotExist` for
   * well-known keys left out.
   *
   * Errors: Left when it cannot say; never a partial list.
   */
  readonly instanceTypes: (nodeClass: C, call: Call) => TaskEither<ProviderError, ReadonlyArray<InstanceType>>
  /**
   * Start one instance; return when the cloud accepted it, not when it has booted.
   *
   * Idempotent by `request.token`: same token, same instance, for the life of the process and, where the cloud can tell
   * (client token, name, tag), across restarts. A surplus instance must show in `list`, where the shell collects it.
   * After a Left nothing runs that `list` would not show.
   */
  readonly launch: (request: LaunchRequest<C>, call: Call) => TaskEither<LaunchFailure, Launched<D>>
  /**
   * Begin or go on with the end of an instance and all that was launched with it.
   *
   * `Started` is asked again in 5 s, so repeats are cheap; `Gone`: nothing is left to bill.
   */
  readonly terminate: (target: InstanceRef, call: Call) => TaskEither<ProviderError, 'Started' | 'Gone'>
  /**
   * All instances with this cluster's marks, launched by this library or by the reference, all pages.
   *
   * What cannot be read goes to `unreadable`. Errors: a page that fails is a Left.
   */
  readonly list: (call: Call) => TaskEither<ProviderError, InstanceList<D>>
  /**
   * One instance, from the cloud and not a cache: a decision hangs on it. Default: look in `list`.
   *
   * Errors: `InstanceNotFound` only when surely absent.
   */
  readonly get?: (target: InstanceRef, call: Call) => TaskEither<ProviderError, Instance<D>>
  /** Find, check or create what the NodeClass names, and report. Idempotent; holds for the generation it was given. Default: no status, Ready. */
  readonly resolve?: (input: ResolveInput<C>, call: Call) => TaskEither<ProviderError, Resolution>
  /** Remove what `resolve` and `launch` left behind for a NodeClass being deleted that no claim uses. Idempotent. A Left keeps the finalizer. */
  readonly release?: (nodeClass: C, call: Call) => TaskEither<ProviderError, void>
  /** Pure. Asked after hashes, requirements and type found nothing; repeated on a fresh `get` before `Drifted` is believed. Default: in sync. */
  readonly drift?: (subject: ManagedInstance<C, D>) => DriftVerdict
  /**
   * Make the cloud's side of one launched claim agree with the cluster's: tags, identities, facts known late, the
   * outcome of an asynchronous create.
   *
   * Called after launch until not `Pending`; at registration; when the claim or its NodeClass changes; once per claim
   * after a start. Idempotent, and without I/O when the claim's annotations say it is done.
   */
  readonly converge?: (subject: ManagedInstance<C, D>, call: Call) => TaskEither<ProviderError, Convergence>
  readonly interruptions?: InterruptionSource
  /** Work by the clock; start-up work too. */
  readonly tasks?: ReadonlyArray<MaintenanceTask<C>>
  /** Only where it is not known before run time, as with a catalogue file. Default: the module's. */
  readonly labels?: LabelPolicy
}
