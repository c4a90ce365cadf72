export { followedFeatures, type FeatureGates } from './feature-gates.ts'
export * from './parse-settings.ts'
export { type LogLevel, type Settings, logLevels, settingsSpec, usualLeaseName } from './settings.ts'
