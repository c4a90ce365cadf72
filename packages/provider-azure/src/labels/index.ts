/** Labels: which there are, who may set them, and which a node is given. */
export * from './label-keys.ts'
export { labelPolicy } from './label-policy.ts'
export * from './label-values.ts'
export * from './shared-requirements.ts'
