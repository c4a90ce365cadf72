/** Instances, as Azure has them. */
export type * from './details.ts'
