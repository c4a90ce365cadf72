export * from './observe-provider.ts'
export * from './provider-host.ts'
