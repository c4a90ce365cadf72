export {
  conditionsSchema,
  durationSchema,
  overlayRequirementsSchema,
  resourceListField,
} from './fields.ts'
export * from './node-claim.ts'
export * from './node-pool.ts'
export * from './node-pool-hash.ts'
export * from './node-pool-settings.ts'
export * from './validation.ts'
