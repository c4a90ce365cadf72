/** AKSNodeClass: its form and rules, its status, and what follows from it alone. */
export * from './aks-node-class.ts'
export * from './features.ts'
export { azureGroup } from './group.ts'
export { hashOf, hashVersion } from './hash.ts'
export { sysctlRanges } from './linux-os-config.ts'
export * from './readiness.ts'
