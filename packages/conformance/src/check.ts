import type { Session } from './session.ts'
import type { Capability } from './subject.ts'

/**
 * One promise of the port, asked of a provider from outside.
 *
 * `run` resolves when it is kept and rejects when it is broken; it needs no test runner.
 */
export interface ConformanceCheck {
  /** By which `notSupported` names it: the member, a slash, what is promised. */
  readonly name: string
  /** The promise, as a sentence. */
  readonly title: string
  readonly needs: ReadonlyArray<Capability>
  readonly run: (session: Session) => Promise<void>
}

export const check = (
  name: string,
  title: string,
  needs: ReadonlyArray<Capability>,
  run: ConformanceCheck['run'],
): ConformanceCheck => ({ name, title, needs, run })
