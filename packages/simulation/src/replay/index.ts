/** Load curves, replayed on the virtual cluster. */
export * from './load-curve.ts'
export { isReplayed, type Manifest } from './manifests.ts'
export * from './replay.ts'
export { sampleManifests } from './sample.ts'
