/** The calls of Azure that this provider makes, as ports. */
export type * from './arm-error.ts'
export type * from './ports.ts'
