export { followedFeatures, type FeatureGates } from './feature-gates.ts'
export * from './parse-settings.ts'
export { type Settings, settingsSpec } from './settings.ts'
