/** Offerings: the ways to buy a type with a NodeClass, and why some of them cannot be bought now. */
export * from './offerings.ts'
