import type { NodeClassObject } from '@scantling/core'
import type { ConformanceCheck } from './check.ts'
import { checks } from './checks/index.ts'
import { fail } from './expectation.ts'
import { expectCapabilities, openSession } from './session.ts'
import {
  capabilities,
  faults,
  hasCapability,
  optionalMembers,
  type AnySubject,
  type Capability,
  type Subject,
} from './subject.ts'

/** Makes a subject with a cloud of its own; a check never sees what another left behind. */
export type MakeSubject<C extends NodeClassObject, D = unknown, S = unknown> = () => Promise<Subject<C, D, S>>

/** A capability, which stands for every check that needs it, or the name of one check. */
export type NotSupported = Capability | (string & {})

/**
 * The checks that a provider has to pass when it declares what it does not support.
 *
 * Errors: throws on a name that is neither a capability nor a check, as after a typing mistake.
 */
export const checksFor = (notSupported: ReadonlyArray<NotSupported> = []): ReadonlyArray<ConformanceCheck> => {
  const known = new Set<string>([...capabilities, ...checks.map(({ name }) => name)])
  const unknown = notSupported.filter((name) => !known.has(name))
  if (unknown.length > 0)
    throw new RangeError(
      `Cannot leave out ${unknown.map((name) => JSON.stringify(name)).join(', ')}: neither a capability nor a check; ` +
        `capabilities are ${capabilities.join(', ')}`,
    )
  const left = new Set<string>(notSupported)
  if (left.has('fail')) for (const fault of faults) left.add(fault)
  return checks.filter(({ name, needs }) => !left.has(name) && !needs.some((need) => left.has(need)))
}

/** Runs one check on a subject of its own. Rejects with a `ConformanceFailure` when the promise is broken. */
export const runCheck = async <C extends NodeClassObject, D, S>(
  { needs, run }: ConformanceCheck,
  make: MakeSubject<C, D, S>,
): Promise<void> => {
  // No check looks into the NodeClass, the details or the settings: it hands back what the same subject gave it.
  const subject = (await make()) as unknown as AnySubject
  try {
    expectCapabilities(subject, needs)
    await run(await openSession(subject))
  } finally {
    await subject.close()
  }
}

/** Rejects when a provider has an optional member that it declares as not supported: nothing would check that one. */
export const runDeclarationCheck = async <C extends NodeClassObject, D, S>(
  notSupported: ReadonlyArray<NotSupported>,
  make: MakeSubject<C, D, S>,
): Promise<void> => {
  const subject = (await make()) as unknown as AnySubject
  try {
    const there = optionalMembers.filter((member) => notSupported.includes(member) && hasCapability(subject, member))
    if (there.length > 0) fail(`It has ${there.join(', ')}, which notSupported says it has not`)
  } finally {
    await subject.close()
  }
}
