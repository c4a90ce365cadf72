/** User data: how a machine of each image family is told to join the cluster. */
export { resolveKubelet, type BootstrapInput, type ResolvedKubelet } from './bootstrap-input.ts'
export { bottlerocketVersion } from './bottlerocket.ts'
export * from './user-data.ts'
