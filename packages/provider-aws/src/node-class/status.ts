import { s, type ObjectOf, type TypeOf } from '@scantling/core'

// What a controller wrote must not make the object unreadable: patterns bind the API server alone.
const lenient = { problem: () => undefined } as const

const subnetSchema = s.object({
  id: s.string({ description: 'Identifier of the subnet.' }),
  zone: s.string({ description: 'Its availability zone.' }),
  zoneID: s.optional(s.string({ description: 'Identifier of that zone, the same in every account.' })),
})
export interface ResolvedSubnet extends TypeOf<typeof subnetSchema> {}

const securityGroupSchema = s.object({
  id: s.string({ description: 'Identifier of the security group.' }),
  name: s.optional(s.string({ description: 'Its name.' })),
})
export interface ResolvedSecurityGroup extends TypeOf<typeof securityGroupSchema> {}

const imageRequirementSchema = s.object({
  key: s.string({ description: 'The label that is constrained.' }),
  operator: s.string({ description: 'In, NotIn, Exists, DoesNotExist, Gt or Lt.' }),
  values: s.optional(s.array(s.string(), { description: 'The values.', listType: 'atomic' })),
})

const imageSchema = s.object({
  id: s.string({ description: 'Identifier of the image.' }),
  name: s.optional(s.string({ description: 'Its name.' })),
  deprecated: s.optional(s.boolean({ description: 'Whether its owner has deprecated it.' })),
  requirements: s.requiredOnServer(
    s.array(imageRequirementSchema, { description: 'The instance types that it boots on.' }),
    [],
  ),
})
export interface ResolvedImage extends TypeOf<typeof imageSchema> {}

const capacityReservationSchema = s.object({
  id: s.string({ description: 'Identifier of the reservation.', pattern: '^cr-[0-9a-z]+$', ...lenient }),
  availabilityZone: s.string({ description: 'Where it holds.' }),
  instanceType: s.string({ description: 'What it reserves.' }),
  instanceMatchCriteria: s.literals(['open', 'targeted'], { description: 'Which launches it takes.' }),
  ownerID: s.string({ description: 'Account that owns it.', pattern: '^[0-9]{12}$', ...lenient }),
  reservationType: s.defaulted(
    s.literals(['default', 'capacity-block'], { description: 'Whether it is a capacity block.' }),
    'default',
  ),
  interruptible: s.optional(s.boolean({ description: 'Whether its owner may take it back.' })),
  state: s.defaulted(
    s.literals(['active', 'expiring'], { description: 'Whether its end is near enough to stop using it.' }),
    'active',
  ),
  endTime: s.optional(s.instant({ description: 'When it ends.' })),
})
export interface ResolvedCapacityReservation extends TypeOf<typeof capacityReservationSchema> {}

/** Fields of the status beside its conditions. */
export const statusFields = {
  subnets: s.filledIn(s.array(subnetSchema, { description: 'The subnets that the selectors found.' }), []),
  securityGroups: s.filledIn(
    s.array(securityGroupSchema, { description: 'The security groups that the selectors found.' }),
    [],
  ),
  capacityReservations: s.filledIn(
    s.array(capacityReservationSchema, { description: 'The capacity reservations that the selectors found.' }),
    [],
  ),
  amis: s.filledIn(s.array(imageSchema, { description: 'The images that the selectors found.' }), []),
  instanceProfile: s.optional(s.string({ description: 'The instance profile of the nodes.' })),
}

/** What an EC2NodeClass resolved to. */
export interface Ec2NodeClassStatus extends ObjectOf<typeof statusFields> {
  readonly conditions: ReadonlyArray<{
    readonly type: string
    readonly status: 'True' | 'False' | 'Unknown'
    readonly reason: string
    readonly message: string
    readonly lastTransitionTime: string
    readonly observedGeneration?: number
  }>
}

/** Types of the conditions that Ready depends on. */
export const conditionTypes = {
  images: 'AMIsReady',
  subnets: 'SubnetsReady',
  securityGroups: 'SecurityGroupsReady',
  instanceProfile: 'InstanceProfileReady',
  capacityReservations: 'CapacityReservationsReady',
  placementGroup: 'PlacementGroupReady',
  validation: 'ValidationSucceeded',
} as const
