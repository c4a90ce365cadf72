/** AWS in memory: the ports of this provider over a small world that tests can look into and break. */
export { fakeAws, type FakeAws } from './fake-aws.ts'
export { foreignInstance, makeWorld, openReservation, tag, typeInfo, type World } from './world.ts'
export type { ArmedFailure } from './operation.ts'
