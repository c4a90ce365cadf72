/** The disruption of nodes: the loop that decides, and the queue that carries out. See the README of core's planner. */
export { runDisruption } from './loop.ts'
