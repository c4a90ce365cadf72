import * as quantity from './quantity.ts'
import * as resources from './resources.ts'

/** Exact amounts: one name for the type and for the functions on it. */
export type Quantity = quantity.Quantity
export const Quantity = quantity

export type { Format as QuantityFormat } from './quantity.ts'
export type { ResourceList } from './resources.ts'
export const Resources = resources
