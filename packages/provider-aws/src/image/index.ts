/** Images: which SSM parameters and queries find them, which of those found a NodeClass uses, and what families differ in. */
export * from './alias-parameters.ts'
export * from './family-traits.ts'
export * from './image-queries.ts'
export * from './select-images.ts'
