import type { Either } from 'fp-ts/lib/Either.js'
import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type * as t from 'io-ts'
import type { InstanceType, JsonObject } from '../instance/index.ts'
import type { Labels } from '../labels/index.ts'
import type { ResourceList } from '../quantity/index.ts'
import type { Requirements } from '../requirements/index.ts'
import type { Schema } from '../schema/index.ts'
import type { Taint } from '../taints/index.ts'
import type { ProviderError } from './port.ts'

export interface NodeClassObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly generation: number
    readonly annotations: Labels
  }
}
export interface NodeClassKind<C> {
  readonly group: string
  readonly kind: string
  readonly finalizer?: string
  readonly names: {
    readonly plural: string
    readonly short?: ReadonlyArray<string>
    readonly categories?: ReadonlyArray<string>
  }
  readonly columns?: ReadonlyArray<{
    readonly name: string
    readonly type: string
    readonly jsonPath: string
    readonly wide?: true
  }>
  readonly versions: ReadonlyNonEmptyArray<{
    readonly name: string
    readonly schema: Schema<C>
    readonly deprecated?: string
    readonly served?: false
  }> // the first is stored; older ones decode to C; not served: for `convert` alone
  /** Static drift: the shell stamps `<group>/<kind>-hash` and `-hash-version` on NodeClass and claims, compares, and re-stamps where the version is another (adoption: so never reuse the reference's). */
  readonly hash?: { readonly version: string; readonly of: (nodeClass: C, cluster: ClusterFacts) => string }
}
export interface LabelPolicy {
  // `values`: a requirement naming none of them is refused. `restricted`: domain suffixes and bare keys users may not set unless well known
  readonly wellKnown: ReadonlyArray<{
    readonly key: string
    readonly values?: ReadonlyArray<string>
    readonly notInOverlays?: true
  }>
  readonly restricted?: ReadonlyArray<string>
  readonly aliases?: Labels
  readonly normalizedValues?: Readonly<Record<string, Labels>> // CSI zone key -> zone key; zone: { '': '0' }
  readonly internal?: ReadonlyArray<string> // on types, for matching and marks; on no Node
  /** Keys that only reserved offerings define. When `list` shows a reserved claim's instance as on-demand, the shell relabels claim and Node and drops these. */
  readonly reservation?: { readonly id: string; readonly all: ReadonlyArray<string> }
}
export interface Traits {
  readonly repair?: ReadonlyArray<RepairPolicy>
  readonly terminationGracePeriodMs?: number
  readonly unsupportedTopologyKeys?: ReadonlyArray<string>
  readonly unsupportedProvisioners?: ReadonlyArray<string>
  readonly orphanAfterMs?: number
  readonly listLagMs?: number // collect unclaimed instances this old (300_000); `list` may miss ones this young (60_000)
  readonly supportedKubernetes?: { readonly min: string; readonly max: string } // outside: one warning, work goes on
  readonly kubelet?: 'simulated' // no kubelets: the shell makes a Node for each `running` instance, named by the end of its providerId; NotReady when it vanishes
}
export interface RepairPolicy {
  // a deadline turns the condition into an interruption: no gate, no breaker, pods drained by then
  readonly conditionType: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly tolerationMs: number
  readonly deadlineMs?: (condition: {
    readonly reason: string
    readonly message: string
    readonly lastTransitionAtMs: number
  }) => number | undefined
}
export interface Setting<A> {
  readonly env: ReadonlyNonEmptyArray<string>
  readonly flag?: string
  readonly codec: t.Type<A, string, unknown>
  readonly default?: A
  readonly help: string
  readonly secret?: true
} // no default: required
export interface SettingsSpec<S> {
  readonly fields: { readonly [K in keyof S]: Setting<S[K]> }
  readonly check?: (settings: S) => ReadonlyArray<string>
} // all errors are shown at once
export interface ClusterRead {
  // namespace '$system': the controller's own. 'host': the cluster it runs in, where that is another. RBAC is generated
  readonly as: string
  readonly apiVersion: string
  readonly plural: string
  readonly namespace?: string
  readonly name?: string
  readonly cluster?: 'workload' | 'host'
  readonly metadataOnly?: true
  readonly limit?: number
}
/** `name` is whole, prefix included; a metric not declared is refused. */
export interface MetricSpec {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: ReadonlyArray<string>
  readonly buckets?: ReadonlyArray<number>
}
export interface ProviderHost {
  readonly clock: { readonly nowMs: () => number; readonly sleep: (ms: number, signal: CancelSignal) => Promise<void> }
  readonly random: () => number
  readonly record: (metric: MetricSpec, value: number | undefined, labels: Labels) => void // counter adds, gauge sets, histogram observes, undefined drops the series
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: JsonObject) => void
  readonly gates: Readonly<Record<string, boolean>>
  readonly shutdown: CancelSignal // the shell's feature gates; end of the process: flush batches, then reject
}
export interface Call {
  readonly signal: CancelSignal
  readonly cluster: ClusterFacts
}
export interface CancelSignal {
  readonly aborted: boolean
  readonly addEventListener: (type: 'abort', listener: () => void) => void
  readonly removeEventListener: (type: 'abort', listener: () => void) => void
}
/** name, endpoint (as nodes reach it) and caBundle: the shell's settings, under the reference's flags; absent ones a provider may ask its cloud for. kubernetesVersion: discovery's gitVersion without the `v`. */
export interface ClusterFacts {
  readonly name: string
  readonly endpoint?: string
  readonly caBundle?: string
  readonly kubernetesVersion: string
  readonly dnsServiceIp?: string
  readonly objects: Readonly<Record<string, Either<string, ReadonlyArray<JsonObject>>>> // by ClusterRead.as; no such object or CRD: right([]); left: the read failed
}
export interface NodeClaimFacts {
  // no nodePool: standalone
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly nodePool?: string
  readonly nodeClass: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly requirements: Requirements
  readonly requests: ResourceList
  readonly taints: ReadonlyArray<Taint>
  readonly startupTaints: ReadonlyArray<Taint>
  readonly providerId?: string
  readonly imageId?: string
  readonly registered: boolean
  readonly deleting: boolean
}
export interface NodeFacts {
  readonly name: string
  readonly labels: Labels
  readonly kubeletVersion: string
  readonly capacity: ResourceList
}
export interface ManagedInstance<C, D> {
  readonly claim: NodeClaimFacts
  readonly nodeClass: C
  readonly instance: Instance<D>
  readonly type?: InstanceType
  readonly node?: NodeFacts
}
export interface InstanceRef {
  readonly providerId: string
  readonly claim?: NodeClaimFacts
} // no claim: an orphan
export interface ClusterView<C> {
  readonly nodeClasses: ReadonlyArray<C>
  readonly claims: ReadonlyArray<NodeClaimFacts>
} // complete: absence is meaningful
/** The NodeClass is there and Ready at this generation. Candidates: fit the requests, overlays applied, cheapest first, with only the offerings that are compatible and available now. Token: the claim's UID. */
export interface LaunchRequest<C> {
  readonly token: string
  readonly claim: NodeClaimFacts
  readonly nodeClass: C
  readonly candidates: ReadonlyNonEmptyArray<InstanceType>
  readonly minValues: 'strict' | 'best-effort' // to be kept when cutting the list further
}
interface LaunchReport {
  readonly unavailable?: ReadonlyArray<UnavailableMark>
  readonly notices?: ReadonlyArray<Notice>
} // a success may have failed elsewhere on its way
export interface Launched<D> extends LaunchReport {
  readonly instance: Instance<D>
}
/** `reason` becomes the Launched condition's. `keepClaim`: only some candidates were tried; this claim again with the rest, whatever the tag. */
export interface LaunchFailure extends LaunchReport {
  readonly error: ProviderError
  readonly reason: string
  readonly keepClaim?: true
}
/** Offerings that, laid over their type, define every key of `match` and meet it: { capacity-type In [spot] } is all spot, { quota-family In [DSv5], cpu Gt 31 } the larger sizes. */
export interface UnavailableMark {
  readonly match: Requirements
  readonly forMs: number
  readonly reason: string
  readonly message?: string
}
export interface InstanceList<D> {
  readonly instances: ReadonlyArray<Instance<D>>
  readonly unreadable: ReadonlyArray<{ readonly providerId?: string; readonly message: string }>
}
/** The shell derives the claim's labels, capacity and allocatable from type and offering; `labels` and `capacity` hold what differs or adds (zero removes). `annotations`: stamped at launch. */
export interface Instance<D = unknown> {
  readonly providerId: string
  readonly aliases?: ReadonlyArray<string> // as the Node will state it; other ids that the cloud's messages use
  readonly phase: 'pending' | 'running' | 'stopped' | 'terminating'
  readonly launchedAtMs?: number // unknown: since the shell first saw it
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: 'on-demand' | 'spot' | 'reserved'
  readonly imageId?: string
  readonly owner: { readonly nodePool?: string; readonly nodeClass?: string; readonly nodeClaim?: string } // from tags
  readonly labels?: Labels
  readonly annotations?: Labels
  readonly capacity?: ResourceList
  readonly details?: D // details: what `drift` and `converge` look at
}
export interface ResolveInput<C> {
  readonly nodeClass: C
  readonly nodePools: ReadonlyArray<{
    readonly name: string
    readonly labels: Labels
    readonly requirements: Requirements
  }>
} // that use it
/** Written as one patch. `status`: all fields but conditions, whole. `conditions`: all that Ready depends on; 'unchanged' keeps verdict and generation. `failures`: steps that erred; the rest stands, retried with back-off. */
export interface Resolution {
  readonly status: JsonObject
  readonly conditions: Readonly<
    Record<
      string,
      | { readonly status: 'True' | 'False' | 'Unknown'; readonly reason?: string; readonly message?: string }
      | 'unchanged'
    >
  >
  readonly failures?: ReadonlyArray<ProviderError>
  readonly recheckAfterMs?: number // none: when the NodeClass, its NodePools or the ClusterFacts change
}
export type DriftVerdict =
  | { readonly _tag: 'InSync' }
  | { readonly _tag: 'Drifted'; readonly reason: string; readonly message?: string }
  | { readonly _tag: 'Unknown'; readonly message: string }
/** Labels and annotations go to claim and Node. `Failed`: the create did not succeed after all; the shell takes the marks, reports, terminates, deletes the claim. */
export type Convergence =
  | { readonly _tag: 'Converged'; readonly labels?: Labels; readonly annotations?: Labels }
  | { readonly _tag: 'Failed'; readonly failure: LaunchFailure }
  | {
      readonly _tag: 'Pending'
      readonly reason: string
      readonly retryAfterMs: number
      readonly blocksRegistration?: true
    }
export interface InterruptionSource {
  // begun after the first `list`; long poll of at most 30 s; what is not acknowledged comes again
  readonly receive: (call: Call) => TaskEither<ProviderError, ReadonlyArray<Delivery>>
  readonly acknowledge: (receipts: ReadonlyArray<string>, call: Call) => TaskEither<ProviderError, void>
}
export interface Delivery {
  readonly receipt: string
  readonly kind: string
  readonly sentAtMs?: number
  readonly interruptions: ReadonlyArray<Interruption>
} // `kind` is counted even if it interrupts nothing
export interface Interruption {
  // id: providerId or alias, of any instance seen since start; others are ignored. kind: names the event. force: grace ends now. losesOfferingForMs: marks the offering the claim runs on
  readonly id: string
  readonly kind: string
  readonly action: 'notify' | 'drain' | 'force'
  readonly deadlineMs?: number
  readonly losesOfferingForMs?: number
  readonly message?: string
}
export interface Notice {
  // an event. PoolsOffering: each NodePool with a type and offering that meets it
  readonly on:
    | { readonly _tag: 'NodeClaim' | 'NodeClass' | 'NodePool'; readonly name: string }
    | { readonly _tag: 'PoolsOffering'; readonly match: Requirements }
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}
export interface MaintenanceTask<C> {
  // 'every-replica': keeps standbys warm, only reads the cloud, gets an empty view. gatesReadiness: where it runs, no other member is called before its first success
  readonly name: string
  readonly everyMs: number
  readonly runsOn: 'leader' | 'every-replica'
  readonly gatesReadiness?: true
  readonly run: (view: ClusterView<C>, call: Call) => TaskEither<ProviderError, Findings>
}
export interface Findings {
  readonly interruptions?: ReadonlyArray<Interruption>
  readonly unavailable?: ReadonlyArray<UnavailableMark>
  readonly notices?: ReadonlyArray<Notice>
}
