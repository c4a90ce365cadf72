import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import type * as t from 'io-ts'

/** One setting of a provider, read from its flag or from the first environment variable that is set. */
export interface Setting<A> {
  readonly env: ReadonlyNonEmptyArray<string>
  /** Without the dashes. */
  readonly flag?: string
  readonly codec: t.Type<A, string, unknown>
  /** Absent: the setting is required. */
  readonly default?: A
  readonly help: string
  /** Never printed. */
  readonly secret?: true
}

/** All settings of a provider; `check` sees them together. Every error is shown at once. */
export interface SettingsSpec<S> {
  readonly fields: { readonly [K in keyof S]: Setting<S[K]> }
  readonly check?: (settings: S) => ReadonlyArray<string>
}
