/** The calls of AWS that this provider makes, as ports; the SDK's clients are behind `connect`. */
export type * from './aws-error.ts'
export type * from './connect-options.ts'
export { connect } from './connect.ts'
export { everyPage } from './every-page.ts'
export type * from './ports.ts'
export { pricingRegionOf } from './region.ts'
