/** What is served to look into a running controller. */
export * from './profiles.ts'
export * from './snapshot-endpoint.ts'
