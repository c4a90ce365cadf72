/** Instances of EC2 as the port has them: found, ended and tagged. */
export type { Ec2Details } from './details.ts'
export { instanceOf } from './instance-of.ts'
export { instances, type Instances } from './instances.ts'
export { visibilityLagMs, type RecentLaunches } from './recent.ts'
