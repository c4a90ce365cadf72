import * as cron from './cron.ts'
import * as duration from './duration.ts'
import * as instant from './instant.ts'

export type { Cron } from './cron.ts'

/** Durations, schedules and instants as Kubernetes writes them, without a clock. */
export const Time = { ...duration, ...cron, ...instant }
