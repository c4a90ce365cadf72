import type { ResourceList } from '../quantity/index.ts'
import type { Requirements } from '../requirements/index.ts'

/** A value that survives JSON. */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | JsonObject
export interface JsonObject {
  readonly [field: string]: Json
}

/** Devices of a type for dynamic resource allocation, as the provider reports them; carried, not yet planned with. */
export type DynamicResources = JsonObject

/**
 * A kind of machine that a provider can launch.
 *
 * `imageId` is what a launch would boot now; with the name it is the key under which the shell learns a type's real
 * capacity. A provider returns the same object while nothing about it changed: planners compile by identity.
 */
export interface InstanceType {
  readonly name: string
  /** One entry per well-known label that the type defines. Zone and capacity type follow from the offerings. */
  readonly requirements: Requirements
  readonly capacity: ResourceList
  readonly overhead: Overhead
  readonly offerings: ReadonlyArray<Offering>
  /** CSI driver → volumes that a node of this type can attach; a driver not named has no known limit. */
  readonly volumeAttachmentLimits?: ReadonlyMap<string, number>
  readonly devices?: DynamicResources
  readonly imageId?: string
  /** Set by a NodeOverlay that changed `capacity`. */
  readonly isCapacityOverlaid?: true
}

/** What a node keeps for itself; allocatable is capacity minus the sum of the three. */
export interface Overhead {
  readonly kubeReserved: ResourceList
  readonly systemReserved: ResourceList
  readonly evictionThreshold: ResourceList
}

/** One way to buy a type: a zone and a capacity type (and, where reserved, a reservation) at a price. */
export interface Offering {
  /** Zone and capacity type are single-valued; reserved offerings name their reservation. */
  readonly requirements: Requirements
  /** **Units**: the provider's currency per hour. Absent: usable only where an overlay sets a price. */
  readonly pricePerHour?: number
  /** Set while the offering cannot be bought, with what the provider or the shell knows of the cause. */
  readonly unavailable?: { readonly reason: string; readonly message?: string }
  /** Instances left in the reservation as last reported; the shell counts launches and ends since. */
  readonly reservation?: { readonly remaining: number; readonly observedAtMs: number }
  /** Laid over the type's capacity, key by key. */
  readonly capacity?: ResourceList
  /** Laid over the type's total overhead, key by key. */
  readonly overhead?: ResourceList
  /** Set by a NodeOverlay that changed `pricePerHour`. */
  readonly isPriceOverlaid?: true
}
