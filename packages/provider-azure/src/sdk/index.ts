/** The calls of Azure that this provider makes, as ports, and how they are connected to Azure. */
export type * from './arm-error.ts'
export type * from './connect-options.ts'
export { connect } from './connect.ts'
export type * from './ports.ts'
