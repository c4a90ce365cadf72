/** Labels, resources and annotations of EC2 machines. */
export * from './keys.ts'
export { awsLabelPolicy } from './label-policy.ts'
export { architectureOf, architectureOfType, gpuCountOf, typeRequirements } from './type-labels.ts'
