import type { JsonObject } from '@scantling/core'

/** A structured logger; fields use the reference's keys: `controller`, `NodeClaim`, `NodePool`, `Node`, `provider-id`, `error`. */
export interface Log {
  readonly debug: (message: string, fields?: LogFields) => void
  readonly info: (message: string, fields?: LogFields) => void
  readonly warn: (message: string, fields?: LogFields) => void
  readonly error: (message: string, fields?: LogFields) => void
  /** A logger whose lines carry `fields` as well. */
  readonly with: (fields: LogFields) => Log
}

export type LogFields = JsonObject
