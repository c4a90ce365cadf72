/** The cells that reconcilers share: the cluster as planners read it, and the instance types on offer. */
export * from './buffer-cell.ts'
export * from './cluster-state.ts'
export * from './domain-views.ts'
export * from './instance-types.ts'
export * from './overlay-cell.ts'
export * from './registration-cell.ts'
export * from './spread-cell.ts'
