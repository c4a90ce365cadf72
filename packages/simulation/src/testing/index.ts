/** What exists for tests of this repository alone: the sources import none of it. */
export * from './ended-after.ts'
export * from './kubelets.ts'
export * from './process-cluster.ts'
