/** Snapshots as text: what a controller saves, and planners replay elsewhere. */
export { isSavedSnapshot, readSnapshot } from './read-snapshot.ts'
export { saveSnapshot } from './save-snapshot.ts'
