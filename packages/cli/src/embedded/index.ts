/** A whole cluster on one machine, for the tour, for tests and for trying things. */
export * from './embedded-cluster.ts'
export * from './known-clusters.ts'
