/** AWS on this machine: moto, and a proxy in front of it that adds what moto lacks. */
export type { AwsFault, CapacityReservation, EmulatedState, PlacementGroup, Shortage } from './emulated.ts'
export { findAll, findText } from './backend.ts'
export { startEmulator, type Emulator } from './emulator.ts'
export { findPython } from './moto.ts'
export { childOf, textOf, type Element } from './xml.ts'
