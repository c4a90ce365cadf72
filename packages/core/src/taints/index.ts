/** Taints and tolerations. */
export * as Taints from './taints.ts'
export { taintEffects } from './taints.ts'
export type { Taint, TaintEffect, Toleration } from './taints.ts'
