/** The cluster's default topology spread: read from configuration, given to pods that have none of their own. */
export * from './inject-default-spread.ts'
export * from './scheduler-config.ts'
