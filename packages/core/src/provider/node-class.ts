import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { Labels } from '../labels/index.ts'
import type { Schema } from '../schema/index.ts'
import type { ClusterFacts } from './cluster-facts.ts'

/** What every NodeClass has, whatever its provider; the provider's own type adds `spec` and `status`. */
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

/** A kind of NodeClass: what its CRD, its RBAC rules, its documentation and its static drift are made from. */
export interface NodeClassKind<C> {
  readonly group: string
  readonly kind: string
  /** Held while `release` has work to do. */
  readonly finalizer?: string
  readonly names: {
    readonly plural: string
    readonly short?: ReadonlyArray<string>
    readonly categories?: ReadonlyArray<string>
  }
  /** What `kubectl get` prints besides the name; `wide` only with `-o wide`. */
  readonly columns?: ReadonlyArray<{
    readonly name: string
    readonly type: string
    readonly jsonPath: string
    readonly wide?: true
  }>
  /** The first is stored; older ones decode to `C`. One that is not served exists for `scantling convert` alone. */
  readonly versions: ReadonlyNonEmptyArray<{
    readonly name: string
    readonly schema: Schema<C>
    readonly deprecated?: string
    readonly served?: false
  }>
  /**
   * Static drift: the shell stamps `<group>/<kind>-hash` and `-hash-version` on NodeClass and claims and compares.
   *
   * Where the version is another it stamps anew instead, which is how nodes of the reference are adopted: so never
   * reuse a version of the reference's.
   */
  readonly hash?: { readonly version: string; readonly of: (nodeClass: C, cluster: ClusterFacts) => string }
}
