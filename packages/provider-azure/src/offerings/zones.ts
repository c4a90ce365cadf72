import * as E from 'fp-ts/lib/Either.js'

/** The zone of a machine that is in none: what AKS writes on its Node. */
export const regionalZone = '0'

export type PlacementScope = 'zonal' | 'regional'

/** Whether a zone is one: `0` stands for the region as a whole (Z-LBL-09). */
export const placementScopeOf = (zone: string): PlacementScope => (zone === regionalZone ? 'regional' : 'zonal')

/** The zone label of an availability zone, such as `westeurope-1` (Z-OFF-07). */
export const zoneLabelOf = (region: string, zone: string): string => `${region.toLowerCase()}-${zone}`

/** The availability zones to ask ARM for: that of the label, or none for the region as a whole (Z-OFF-07). */
export const armZonesOf = (zoneLabel: string): ReadonlyArray<string> =>
  zoneLabel === regionalZone ? [] : [zoneLabel.slice(-1)]

/**
 * The zone label of a resource (Z-OFF-07).
 *
 * Errors: Left for a resource in several zones, and for one in a zone without a location.
 */
export const zoneLabelOfResource = (
  location: string | undefined,
  zones: ReadonlyArray<string> | undefined,
): E.Either<string, string> => {
  const [zone, ...more] = zones ?? []
  if (zone === undefined) return E.right(regionalZone)
  if (more.length > 0) return E.left(`Cannot tell the zone of a resource in several: ${[zone, ...more].join(', ')}`)
  if (location === undefined || location === '')
    return E.left(`Cannot tell the zone of a resource in zone ${zone} of no location`)
  return E.right(zoneLabelOf(location, zone))
}
