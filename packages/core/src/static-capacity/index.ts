/** Static capacity: pools that keep a number of nodes whatever the demand. */
export * from './static-capacity.ts'
export * from './static-launch.ts'
