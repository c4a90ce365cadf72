import type { CloudInstance, CloudMessage } from './kwok-cloud.ts'
import type { OfferingSelector } from './selector.ts'

/** All that the cloud remembers, as JSON: what `--state` keeps between runs. */
export interface CloudState {
  /** By token, in the order of launching. */
  readonly instances: ReadonlyArray<StoredInstance>
  readonly messages: ReadonlyArray<CloudMessage>
  readonly capacity: ReadonlyArray<CapacityRule>
  readonly prices: ReadonlyArray<PriceChange>
  readonly faults: ReadonlyArray<FaultRule>
}

/** A machine without its state, which follows from the time. */
export interface StoredInstance extends Omit<CloudInstance, 'state'> {
  readonly token: string
  /** When its termination began; the machine is billed until then. */
  readonly terminatingAtMs?: number
  readonly charges: ReadonlyArray<{ readonly fromMs: number; readonly pricePerHour: number }>
}

/** Offerings that have room for so many machines more. A launch must find room in every rule that means it. */
export interface CapacityRule extends OfferingSelector {
  readonly remaining: number
}

/** A price, or a factor on the catalogue's, for some offerings; later changes win over earlier ones. */
export interface PriceChange extends OfferingSelector {
  readonly pricePerHour?: number
  readonly factor?: number
}

export type Operation = 'launch' | 'terminate' | 'get' | 'list' | 'catalog' | 'receive' | 'acknowledge'

/** Calls that fail. Counted from the rule's arrival: the `skip` first pass, then `times` fail (default: all). */
export interface FaultRule {
  readonly operation: Operation
  readonly skip?: number
  readonly times?: number
  readonly code: string
  readonly message?: string
  readonly retryAfterMs?: number
  /** `after`: the effect happens and its answer is lost. Default `before`. */
  readonly when?: 'before' | 'after'
}

export const emptyState: CloudState = { instances: [], messages: [], capacity: [], prices: [], faults: [] }
