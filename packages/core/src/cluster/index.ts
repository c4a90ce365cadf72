/** Snapshot: the input of every planner, and the records it is made of. */
export * from './node-pool.ts'
export * from './pod.ts'
export * from './snapshot.ts'
export type * from './state-node.ts'
export * as StateNodes from './state-nodes.ts'
export type * from './volumes.ts'
