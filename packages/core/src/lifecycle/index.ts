/** State machines: what to do next for a NodeClaim, and for a Node on its way out. */
export type * from './claim-actions.ts'
export * from './claim-step.ts'
export type { DrainStep } from './drain.ts'
export * from './drift.ts'
export * from './launch-candidates.ts'
export * from './node-shape.ts'
export * from './node-step.ts'
export * from './repair.ts'
