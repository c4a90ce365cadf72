import type { Labels } from '@scantling/core'

/** What `drift` and `converge` look at of an EC2 instance, beyond what the port names. */
export interface Ec2Details {
  readonly instanceId: string
  readonly subnetId?: string
  /** In code-unit order; empty where EC2 has not told yet. */
  readonly securityGroupIds: ReadonlyArray<string>
  /** Of a reserved instance, and of one that found an open reservation by itself. */
  readonly capacityReservationId?: string
  readonly placementGroupId?: string
  readonly placementGroupPartition?: string
  readonly tags: Labels
}
