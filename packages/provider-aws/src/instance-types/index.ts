/** Instance types as a NodeClass sees them: the catalogue of the region, capacity, overhead, compatibility. */
export { branchInterfacesOf } from './branch-interfaces.ts'
export * from './catalogue.ts'
export { incompatibilityOf, type Incompatibility, type PlacementGroup } from './compatibility.ts'
export * from './instance-types.ts'
export type { InstanceTypesSettings } from './shapes.ts'
export { eniLimitedPods, eniLimitsOf } from './pods.ts'
export { kubeletOfType, type TypeKubelet } from './type-kubelet.ts'
