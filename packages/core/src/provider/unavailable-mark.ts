import type { Requirements } from '../requirements/index.ts'

/**
 * Offerings that cannot be bought for a while: those that, laid over their type, define every key of `match` and meet it.
 *
 * @example
 * // all spot:                  { karpenter.sh/capacity-type In [spot] }
 * // the larger sizes of a group: { quota-family In [DSv5], cpu Gt 31 }
 */
export interface UnavailableMark {
  readonly match: Requirements
  readonly forMs: number
  readonly reason: string
  readonly message?: string
}
