export * from './clock.ts'
export * from './pages.ts'
export * from './stable.ts'
export * from './token-bucket.ts'
