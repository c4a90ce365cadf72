/** CapacityBuffers: room kept free for pods to come, as placeholder pods that are planned for like real ones. */
export * from './buffer-outcome.ts'
export * from './buffer-size.ts'
export * from './virtual-pods.ts'
