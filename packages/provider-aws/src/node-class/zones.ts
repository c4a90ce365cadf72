import type { Ec2NodeClassStatus, ResolvedCapacityReservation } from './status.ts'

/** A zone in which a NodeClass has subnets. */
export interface NodeClassZone {
  readonly zone: string
  readonly zoneId?: string
  readonly subnetIds: ReadonlyArray<string>
}

/** The zones of the subnets in a status, by name (A-STA-09). */
export const zonesOf = ({ subnets }: Pick<Ec2NodeClassStatus, 'subnets'>): ReadonlyMap<string, NodeClassZone> => {
  const zones = new Map<string, NodeClassZone>()
  for (const { id, zone, zoneID } of subnets) {
    const known = zones.get(zone)
    const zoneId = known?.zoneId ?? zoneID
    zones.set(zone, {
      zone,
      ...(zoneId !== undefined && zoneId !== '' && { zoneId }),
      subnetIds: [...(known?.subnetIds ?? []), id],
    })
  }
  return zones
}

/** The reservations of a status that are for the type. */
export const reservationsOfType = (
  { capacityReservations }: Pick<Ec2NodeClassStatus, 'capacityReservations'>,
  type: string | undefined,
): ReadonlyArray<ResolvedCapacityReservation> =>
  capacityReservations.filter(({ instanceType }) => instanceType === type)
