/** Whole worlds drawn from a seed, with faults. */
export { drawWorld, type DrawnWorld } from './draw-world.ts'
export * from './simulate.ts'
