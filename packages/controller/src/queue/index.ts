export * from './reconciler.ts'
export * from './work-queue.ts'
export * from './run-reconciler.ts'
export * from './turns.ts'
