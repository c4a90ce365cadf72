/** Tags of what is made. */
export * from './tags.ts'
