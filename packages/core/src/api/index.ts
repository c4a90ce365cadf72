export * from './kube/index.ts'
