/** Controller, simulated cloud and Kubernetes in one process on one virtual clock, and what watches over them. */
export * from './checkers/index.ts'
export * from './cluster/index.ts'
export * from './replay/index.ts'
export * from './seeded/index.ts'
