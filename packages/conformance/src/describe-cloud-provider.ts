import type { NodeClassObject } from '@scantling/core'
import { checksFor, runCheck, runDeclarationCheck, type MakeSubject, type NotSupported } from './run-check.ts'

/** The two functions of a test runner that are used; jest's and vitest's globals have this shape. */
export interface Runner {
  readonly describe: (title: string, body: () => void) => void
  readonly test: (title: string, body: () => Promise<void>, timeoutMs?: number) => void
}

export interface DescribeOptions {
  /** What the provider does not do: names of capabilities or of checks. They stand in the title. */
  readonly notSupported?: ReadonlyArray<NotSupported>
  /** Default: the globals of the test file's runner. */
  readonly runner?: Runner
  readonly timeoutMs?: number
}

/**
 * Every check as a test of the surrounding runner, each on a subject of its own.
 *
 * @example
 * describeCloudProvider('my cloud', makeSubject, { notSupported: ['interruptions', 'launch/restarted'] })
 */
export const describeCloudProvider = <C extends NodeClassObject, D, S>(
  name: string,
  make: MakeSubject<C, D, S>,
  { notSupported = [], runner = globalThis as unknown as Runner, timeoutMs = 30_000 }: DescribeOptions = {},
): void => {
  const applicable = checksFor(notSupported)
  const without = notSupported.length === 0 ? '' : ` (not supported: ${notSupported.join(', ')})`
  runner.describe(`${name} keeps the contract of CloudProvider${without}`, () => {
    runner.test(
      'declares as not supported only what it has not',
      () => runDeclarationCheck(notSupported, make),
      timeoutMs,
    )
    for (const check of applicable)
      runner.test(`${check.name}: it ${check.title}`, () => runCheck(check, make), timeoutMs)
  })
}
