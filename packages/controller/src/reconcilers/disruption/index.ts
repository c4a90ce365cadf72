/** The disruption of nodes: the loop that decides, and the queue that carries out. See the README of core's planner. */
export { snakeCase } from './command-text.ts'
export { evacuate } from './evacuate.ts'
export { runDisruption } from './loop.ts'
export { replacesFirst, settingsOf } from './pool-settings.ts'
export { interruptedReason } from './recovery.ts'
