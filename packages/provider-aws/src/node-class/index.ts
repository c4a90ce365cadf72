/** EC2NodeClass: its schema, what its fields mean together, and what of it makes machines drift. */
export * from './ec2-node-class.ts'
export * from './family.ts'
export { canonicalKubelet, hashOf, hashVersion } from './hash.ts'
export type { BlockDeviceMapping, NetworkInterface } from './machine-fields.ts'
export type {
  CapacityReservationSelectorTerm,
  ImageSelectorTerm,
  SecurityGroupSelectorTerm,
  SubnetSelectorTerm,
} from './selector-terms.ts'
export { imageFamilies, type Ec2NodeClass, type Ec2NodeClassSpec, type ImageFamily } from './spec.ts'
export * from './status.ts'
export * from './zones.ts'
