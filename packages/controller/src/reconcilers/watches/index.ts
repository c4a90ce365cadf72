/** What is looked after beside the objects: the clock, rivals, the provider’s own tasks. */
export { runClockWatch } from './clock-watch.ts'
export { runMaintenance } from './maintenance.ts'
export { watchRivals } from './rival-watch.ts'
