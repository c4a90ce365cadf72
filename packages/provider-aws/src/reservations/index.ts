/** Capacity reservations and capacity blocks: which there are, what is left of them, and when they end. */
export { reservations, type Reservations } from './reservations.ts'
