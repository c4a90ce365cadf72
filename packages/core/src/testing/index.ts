/** Builders and arbitraries for tests; never part of the product. */
export * from './arbitraries.ts'
export * from './builders.ts'
export * from './planning.ts'
export * from './scene.ts'
export * from './fleet.ts'
