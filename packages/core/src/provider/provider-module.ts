import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CloudProvider } from './cloud-provider.ts'
import type { ClusterRead } from './cluster-facts.ts'
import type { Call, MetricSpec, ProviderHost } from './host.ts'
import type { LabelPolicy } from './label-policy.ts'
import type { NodeClassKind, NodeClassObject } from './node-class.ts'
import type { ProviderError } from './provider-error.ts'
import type { SettingsSpec } from './settings.ts'
import type { Traits } from './traits.ts'

/**
 * What a provider package exports, as one value named `provider`.
 *
 * Static: CRDs, chart values, RBAC, documentation and command line are generated from it without credentials; `create`
 * alone does anything.
 */
export interface ProviderModule<C extends NodeClassObject, D = unknown, S = {}> {
  readonly name: string
  /** The first is the default (P-CPI-01); with several, `C` is their union by `kind`. */
  readonly nodeClasses: ReadonlyNonEmptyArray<NodeClassKind<C>>
  readonly settings?: SettingsSpec<S>
  readonly labels?: LabelPolicy
  readonly traits?: Traits
  readonly metrics?: ReadonlyArray<MetricSpec>
  /** Cluster objects that it wants to see, as data. */
  readonly reads?: ReadonlyArray<ClusterRead>
  /** Credentials, clients, a reachability check. A Left with `retryAfterMs` is retried; any other ends the process with its message. */
  readonly create: (settings: S, host: ProviderHost, call: Call) => TaskEither<ProviderError, CloudProvider<C, D>>
}
