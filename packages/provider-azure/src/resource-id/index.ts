/** IDs of Azure resources: paths that compare without case. */
export * from './provider-id.ts'
export * from './resource-id.ts'
export * from './subnet-id.ts'
