import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { InstanceType } from '../instance/index.ts'
import type {
  Call,
  ClusterRead,
  Convergence,
  DriftVerdict,
  Instance,
  InstanceList,
  InstanceRef,
  InterruptionSource,
  LabelPolicy,
  Launched,
  LaunchFailure,
  LaunchRequest,
  MaintenanceTask,
  ManagedInstance,
  MetricSpec,
  NodeClassKind,
  NodeClassObject,
  ProviderHost,
  Resolution,
  ResolveInput,
  SettingsSpec,
  Traits,
} from './exchange.ts'

/**
 * One cloud. Left = an expected failure; a rejected promise = a bug. Calls may run in parallel, except: one `resolve` or `release` per NodeClass, one `converge` or `terminate` per instance,
 * and no task overlaps itself. Retrying is the shell's work. Aborting `call.signal` ends the waiting; the effect may have happened. The first four members are required.
 */
export interface CloudProvider<C extends NodeClassObject, D = unknown> {
  /**
   * Every type this NodeClass could ever launch, those with no usable offering included. A function of spec, status, `call.cluster` and the catalogue that tasks keep, without I/O once that is loaded.
   * While nothing changed: the same array, the same type objects (===); the shell compiles by identity. The shell adds overlays, failed offerings, learned memory, reservations in flight, and
   * `DoesNotExist` for well-known keys left out. Left when it cannot say; never a partial list.
   */
  readonly instanceTypes: (nodeClass: C, call: Call) => TaskEither<ProviderError, ReadonlyArray<InstanceType>>
  /**
   * Start one instance; return when the cloud accepted it, not when it has booted. Idempotent by `request.token`: same token, same instance, for the life of the process and, where the cloud can
   * tell (client token, name, tag), across restarts. A surplus instance must show in `list`, where the shell collects it. After a Left nothing runs that `list` would not show.
   */
  readonly launch: (request: LaunchRequest<C>, call: Call) => TaskEither<LaunchFailure, Launched<D>>
  /** Begin or go on with the end of an instance and all that was launched with it. `Started` is asked again in 5 s, so repeats are cheap; `Gone`: nothing is left to bill. */
  readonly terminate: (target: InstanceRef, call: Call) => TaskEither<ProviderError, 'Started' | 'Gone'>
  /** All instances with this cluster's marks, launched by this library or by the reference, all pages. What cannot be read goes to `unreadable`; a page that fails is a Left. */
  readonly list: (call: Call) => TaskEither<ProviderError, InstanceList<D>>
  /** One instance, from the cloud and not a cache: a decision hangs on it. `InstanceNotFound` only when surely absent. Default: look in `list`. */
  readonly get?: (target: InstanceRef, call: Call) => TaskEither<ProviderError, Instance<D>>
  /** Find, check or create what the NodeClass names, and report. Idempotent. What it says holds for the generation it was given. Default: no status, Ready. */
  readonly resolve?: (input: ResolveInput<C>, call: Call) => TaskEither<ProviderError, Resolution>
  /** Remove what `resolve` and `launch` left behind for a NodeClass that is being deleted and that no NodeClaim uses. Idempotent. A Left keeps the finalizer. */
  readonly release?: (nodeClass: C, call: Call) => TaskEither<ProviderError, void>
  /** Pure. Asked after hashes, requirements and type found nothing; the shell repeats it on a fresh `get` before it believes `Drifted`. Default: in sync. */
  readonly drift?: (subject: ManagedInstance<C, D>) => DriftVerdict
  /**
   * Make the cloud's side of one launched claim agree with the cluster's: tags, identities, facts known late, the outcome of an asynchronous create. Called after launch until not `Pending`; at
   * registration; when the claim or its NodeClass changes; once per claim after a start. Idempotent, and without I/O when the claim's annotations say it is done.
   */
  readonly converge?: (subject: ManagedInstance<C, D>, call: Call) => TaskEither<ProviderError, Convergence>
  readonly interruptions?: InterruptionSource
  readonly tasks?: ReadonlyArray<MaintenanceTask<C>> // work by the clock: keep a catalogue, sweep leftovers, poll health; start-up work too
  readonly labels?: LabelPolicy // only where it is not known before run time (a catalogue file); default: the module's
}
/** A provider package exports one value, `provider`. CRDs, chart values, RBAC, documentation and command line are generated from it; `create` alone does anything. */
export interface ProviderModule<C extends NodeClassObject, D = unknown, S = {}> {
  readonly name: string
  readonly nodeClasses: ReadonlyNonEmptyArray<NodeClassKind<C>> // the first is the default; with several, C is their union by `kind`
  readonly settings?: SettingsSpec<S>
  readonly labels?: LabelPolicy
  readonly traits?: Traits
  readonly metrics?: ReadonlyArray<MetricSpec>
  readonly reads?: ReadonlyArray<ClusterRead> // cluster objects it wants to see, as data; never Secrets
  /** Credentials, clients, a reachability check. A Left with `retryAfterMs` is retried; any other ends the process with its message. */
  readonly create: (settings: S, host: ProviderHost, call: Call) => TaskEither<ProviderError, CloudProvider<C, D>>
}
/** Every Left; what the shell does, in brackets. `retryAfterMs` replaces its back-off; `code` is the cloud's own; `cause` is logged. */
export type ProviderError = {
  readonly message: string
  readonly code?: string
  readonly cause?: unknown
  readonly requestId?: string
  readonly retryAfterMs?: number
} & (
  | { readonly _tag: 'InstanceNotFound' } // [gone: finish the termination, or collect the claim]
  | { readonly _tag: 'InsufficientCapacity' }
  | { readonly _tag: 'NodeClassNotReady' } // [delete the claim; plan again / resolve again]
  | { readonly _tag: 'QuotaExceeded'; readonly quota?: string } // [reason on Launched; the same claim again with the candidates that remain, none: as InsufficientCapacity]
  | { readonly _tag: 'InvalidRequest'; readonly field?: string }
  | { readonly _tag: 'Unauthorized'; readonly action?: string } // [reason on Launched; back off, never stop for good]
  | { readonly _tag: 'Throttled' }
  | { readonly _tag: 'Unknown' }
) // [back off]
