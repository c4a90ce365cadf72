/**
 * Scantling's core: planners from a snapshot of a cluster to a plan with reasons. Pure; see docs/architecture.md.
 */
export * from './quantity/index.ts'
export * from './time/index.ts'
export * from './labels/index.ts'
export * from './schema/index.ts'
export * from './requirements/index.ts'
export * from './taints/index.ts'
export * from './api/index.ts'
export * from './instance/index.ts'
export * from './provider/index.ts'
export * from './cluster/index.ts'
export * from './ingest/index.ts'
export * from './scheduling/index.ts'
export * from './lifecycle/index.ts'
export * from './disruption/index.ts'
export * from './explain/index.ts'
export * from './scenario/index.ts'
