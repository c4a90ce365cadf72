export * from './instance-ids.ts'
export * from './observe-provider.ts'
export * from './provider-host.ts'
export * from './run-tasks.ts'
