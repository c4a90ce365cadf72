/** The simulated cloud, its catalogues, and the provider on top of it. */
export * from './catalog/index.ts'
export * from './cloud/index.ts'
export * from './provider/index.ts'
