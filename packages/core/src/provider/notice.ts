import type { Requirements } from '../requirements/index.ts'

/** Something to tell the user, as a Kubernetes event. */
export interface Notice {
  /** `PoolsOffering`: each NodePool with a type and offering that meets `match`. */
  readonly on:
    | { readonly _tag: 'NodeClaim' | 'NodeClass' | 'NodePool'; readonly name: string }
    | { readonly _tag: 'PoolsOffering'; readonly match: Requirements }
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}
