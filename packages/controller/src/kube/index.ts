export * from './client.ts'
export * from './kube-error.ts'
export * from './resource-kind.ts'
