/** Capacity reservations and capacity blocks: which there are, what is left of them, and when they end. */
export { reservations, type ReservationCount, type Reservations } from './reservations.ts'
