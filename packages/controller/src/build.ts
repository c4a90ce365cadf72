/** What is running: the version of this package and the commit that the bundle was made of. */
export interface Build {
  readonly version: string
  /** Empty where none is known, as from sources. */
  readonly commit: string
}

/** `SCANTLING_COMMIT` is written in by `npm run bundle`. */
export const build: Build = { version: '0.1.0', commit: process.env['SCANTLING_COMMIT'] ?? '' }
