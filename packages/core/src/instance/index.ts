export * from './allocatable.ts'
export * from './instance-type.ts'
export * as Offerings from './offering.ts'
