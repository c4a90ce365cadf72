import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type { InstanceType } from '../instance/index.ts'
import type { NodeClaimFacts } from './cluster-facts.ts'
import type { Instance } from './instance.ts'
import type { Notice } from './notice.ts'
import type { ProviderError } from './provider-error.ts'
import type { UnavailableMark } from './unavailable-mark.ts'

/** What to start. The NodeClass is there and Ready at this generation. */
export interface LaunchRequest<C> {
  /** The claim's UID: the same token, the same instance. */
  readonly token: string
  readonly claim: NodeClaimFacts
  readonly nodeClass: C
  /** They fit the requests, overlays applied, cheapest first, with only the offerings that are compatible and available now. */
  readonly candidates: ReadonlyNonEmptyArray<InstanceType>
  /** To be kept when cutting the list further; see `truncateTypes`. */
  readonly minValues: 'strict' | 'best-effort'
}

/** What is learned on the way, by a success too: it may have failed elsewhere first. */
export interface LaunchReport {
  readonly unavailable?: ReadonlyArray<UnavailableMark>
  readonly notices?: ReadonlyArray<Notice>
}

export interface Launched<D> extends LaunchReport {
  readonly instance: Instance<D>
}

export interface LaunchFailure extends LaunchReport {
  readonly error: ProviderError
  /** Becomes the reason of the claim's Launched condition. */
  readonly reason: string
  /** Only some candidates were tried: this claim again with the rest, whatever the tag of the error. */
  readonly keepClaim?: true
}
