/** Static capacity: pools that keep a number of nodes whatever the demand. */
export * as StaticPools from './static-capacity.ts'
export type { ScaleUp, StaticClaim } from './static-capacity.ts'
export * from './static-launch.ts'
