/** What the proxy adds to moto, as tests set it. */
export interface EmulatedState {
  /** One after the other, each for the next calls of its action. */
  faults: ReadonlyArray<AwsFault>
  /** Offerings that CreateFleet has nothing of; absent parts match all. */
  shortages: ReadonlyArray<Shortage>
  readonly placementGroups: Map<string, PlacementGroup>
  readonly capacityReservations: Map<string, CapacityReservation>
  /** Id of a zone → end of the shift away from it, in epoch milliseconds. */
  readonly zonalShifts: Map<string, number>
  /** Image → when it is deprecated. */
  readonly deprecations: Map<string, string>
  /** Subnets without a free address. */
  readonly fullSubnets: Set<string>
  /** For how long reading calls miss a new instance. */
  hiddenForMs: number
  /** Largest page that describe calls answer with, whatever they ask for. */
  pageSize: number
  /** Multiplies every price, by type. */
  readonly priceFactors: Map<string, number>
}

export interface AwsFault {
  /** `ec2:CreateFleet` and the like. */
  readonly action: string
  readonly code: string
  readonly message?: string
  /** Default: 503 for `RequestLimitExceeded` and codes of servers, else 400. */
  readonly status?: number
  /** Default: 1. */
  readonly times?: number
  /** Calls of the action that pass before. */
  readonly skip?: number
  /** The call takes effect, and its answer is lost. */
  readonly after?: boolean
}

export interface Shortage {
  readonly instanceType?: string
  readonly zone?: string
  readonly capacityType?: 'spot' | 'on-demand'
  /** Default: InsufficientInstanceCapacity. */
  readonly code?: string
}

export interface PlacementGroup {
  readonly id: string
  readonly name: string
  readonly strategy: 'cluster' | 'spread' | 'partition'
  readonly partitionCount?: number
  readonly spreadLevel?: 'host' | 'rack'
  readonly tags?: Readonly<Record<string, string>>
}

export interface CapacityReservation {
  readonly id: string
  readonly instanceType: string
  readonly zone: string
  readonly ownerId: string
  readonly total: number
  readonly available: number
  readonly matchCriteria?: 'open' | 'targeted'
  readonly reservationType?: 'default' | 'capacity-block'
  readonly endsAt?: string
  readonly tags?: Readonly<Record<string, string>>
}

export const emptyState = (): EmulatedState => ({
  faults: [],
  shortages: [],
  placementGroups: new Map(),
  capacityReservations: new Map(),
  zonalShifts: new Map(),
  deprecations: new Map(),
  fullSubnets: new Set(),
  hiddenForMs: 0,
  pageSize: 1000,
  priceFactors: new Map(),
})
