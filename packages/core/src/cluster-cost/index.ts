/** What the cluster costs, by NodePool. */
export * from './cluster-cost.ts'
