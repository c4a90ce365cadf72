import type { Log } from '../src/observability/index.ts'

const nothing = () => undefined

/** A log that keeps nothing. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => silentLog }
