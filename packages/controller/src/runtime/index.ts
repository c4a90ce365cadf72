export * from './deps.ts'
export * from './event-loop-delay.ts'
export * from './random.ts'
export * from './cluster-facts.ts'
