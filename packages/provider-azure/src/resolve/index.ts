/** What a class names, looked up: its status. */
export * from './resolver.ts'
