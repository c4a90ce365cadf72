/** What exists for tests of this repository alone: the sources import none of it. */
export * from './either.ts'
export * from './ended-after.ts'
export * from './kubelets.ts'
export * from './over-sockets.ts'
export * from './process-cluster.ts'
export * from './provider-rig.ts'
export * from './recording-host.ts'
export * from './role.ts'
