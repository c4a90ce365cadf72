/** Which way to launch is tried first. */
export * from './rank-offerings.ts'
