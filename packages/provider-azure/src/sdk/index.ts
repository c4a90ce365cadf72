/** The calls of Azure that this provider makes, as ports, and how they are connected to Azure. */
export type * from './arm-error.ts'
export * from './connect.ts'
export type * from './ports.ts'
