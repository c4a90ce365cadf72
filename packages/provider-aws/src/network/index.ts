/** Where machines are put and what they are given: subnets, security groups, instance profiles, placement groups, zonal shifts. */
export { addressLedger, exhaustedForMs, type AddressLedger } from './address-ledger.ts'
export { instanceProfiles, type InstanceProfiles } from './instance-profiles.ts'
export { placementGroupFinder, type PlacementGroupFinder } from './placement-groups.ts'
export { securityGroupFinder, type SecurityGroupFinder } from './security-groups.ts'
export { subnetFinder, type FoundSubnet, type SubnetFinder } from './subnets.ts'
export { tagFilters } from './tag-filters.ts'
export { noZonalShifts, zonalShifts, type ZonalShifts } from './zonal-shift.ts'
