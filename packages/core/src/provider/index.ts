/** The provider port: what an author of a provider fills in, and the data that passes through it. */
export type * from './exchange.ts'
export type * from './port.ts'
