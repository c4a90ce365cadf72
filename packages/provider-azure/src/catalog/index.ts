/** The catalogue that tasks keep and instance types are read from. */
export * from './catalog.ts'
