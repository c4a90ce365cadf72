/** The contract of a cloud provider as checks that ask it from outside. See docs/write-a-provider.md. */
export type { ConformanceCheck } from './check.ts'
export { checks } from './checks/index.ts'
export * from './describe-cloud-provider.ts'
export { ConformanceFailure } from './expectation.ts'
export * from './run-check.ts'
export type { Session } from './session.ts'
export {
  capabilities,
  levers,
  observedHost,
  optionalMembers,
  type Capability,
  type Fault,
  type Levers,
  type ObservedHost,
  type Operation,
  type Subject,
} from './subject.ts'
