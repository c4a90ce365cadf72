/** Instances, as Azure has them. */
export type * from './details.ts'
export { graphQuery, vmOfRow } from './graph.ts'
export { instanceOfVm } from './instance-of.ts'
export { instances, type Instances } from './instances.ts'
export { isOurs } from './ownership.ts'
export { claimNameOfVm, vmNameOf } from './vm-name.ts'
