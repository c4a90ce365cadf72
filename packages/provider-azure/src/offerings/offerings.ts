import { capacityTypes, labelKeys, Requirement, type Offering, type Requirements } from '@scantling/core'
import type { Sku } from '../instance-types/index.ts'
import { azureLabelKeys, sharedRequirements, type SharedRequirements } from '../labels/index.ts'
import type { Prices } from '../pricing/index.ts'
import { priceOf } from '../pricing/index.ts'
import { quotaProblemOf, type Usages } from '../quota/index.ts'
import { placementScopeOf, regionalZone, zoneLabelOf } from './zones.ts'

/**
 * Every way to buy a SKU: each of its zones and the region as a whole, on demand and as spot (Z-OFF-01, Z-OFF-02).
 *
 * On demand is unavailable where the family's quota has no room, spot where the SKU cannot be had as spot (Z-OFF-03,
 * Z-OFF-04). What could not be bought lately the shell knows.
 */
export const offeringsOf = (
  sku: Sku,
  region: string,
  { prices, usages }: { readonly prices: Prices; readonly usages: Usages | undefined },
  share: SharedRequirements = sharedRequirements(),
): ReadonlyArray<Offering> => {
  const price = priceOf(prices, sku.name)
  const quotaProblem = usages && quotaProblemOf(usages, sku)
  const zones = [...sku.zones.map((zone) => zoneLabelOf(region, zone)), regionalZone]
  return zones.flatMap((zone): ReadonlyArray<Offering> => [
    {
      requirements: requirementsOf(sku, zone, capacityTypes.onDemand, share),
      pricePerHour: price.onDemand,
      ...(quotaProblem !== undefined && { unavailable: { reason: 'SubscriptionQuotaReached', message: quotaProblem } }),
    },
    {
      requirements: requirementsOf(sku, zone, capacityTypes.spot, share),
      pricePerHour: price.spot,
      ...(!sku.isSpotCapable && {
        unavailable: { reason: 'SpotNotSupported', message: `${sku.name} is not sold as spot in ${region}` },
      }),
    },
  ])
}

const requirementsOf = (
  sku: Sku,
  zone: string,
  capacityType: 'on-demand' | 'spot',
  share: SharedRequirements,
): Requirements => {
  const priority = capacityType === capacityTypes.spot ? 'spot' : 'regular'
  return share.of([
    [labelKeys.capacityType, capacityType],
    [azureLabelKeys.scaleSetPriority, priority],
    [azureLabelKeys.priority, priority],
    [labelKeys.zone, zone],
    [azureLabelKeys.placementScope, placementScopeOf(zone)],
    [azureLabelKeys.skuUltraSsd, ...(hasUltraSsd(sku, zone) ? ['true', 'false'] : ['false'])],
  ])
}

// A node in a zone takes the zone's disks; one without takes the region's (Z-OFF-06).
const hasUltraSsd = (sku: Sku, zone: string): boolean =>
  zone === regionalZone ? sku.hasRegionalUltraSsd : sku.ultraSsdZones.includes(zone.slice(-1))

/** Whether a claim wants ultra disks: it must say so, for they cost (Z-VM-11). */
export const wantsUltraSsd = (requirements: Requirements): boolean => {
  const wanted = requirements.byKey.get(azureLabelKeys.skuUltraSsd)
  return wanted !== undefined && Requirement.has(wanted, 'true') && !Requirement.has(wanted, 'false')
}
