/** What is left over, and its collection. */
export { collectInterfaces, youngLaunches, type YoungLaunches } from './network-interfaces.ts'
export { leftInterfaces, type LeftInterfaces } from './left-interfaces.ts'
