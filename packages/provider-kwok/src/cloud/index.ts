export type { Bill, BillLine } from './bill.ts'
export type { CapacityRule, CloudState, FaultRule, Operation, PriceChange } from './cloud-state.ts'
export { httpCloud, type HttpCloud } from './http-cloud.ts'
export { inProcessCloud } from './in-process-cloud.ts'
export type * from './kwok-cloud.ts'
export { loadCatalog } from './load-catalog.ts'
export type { OfferingSelector } from './selector.ts'
export { serveCloud, type CloudServer } from './server.ts'
export {
  defaultCloudOptions,
  scaledLatencies,
  simulatedCloud,
  type CloudOptions,
  type InterruptKind,
  type InterruptOptions,
  type RateLimit,
  type SimulatedCloud,
} from './simulated-cloud.ts'
