export { conditionsSchema, durationSchema, nillableDurationSchema, resourceListField } from './fields.ts'
export * from './node-claim.ts'
export * from './node-pool.ts'
