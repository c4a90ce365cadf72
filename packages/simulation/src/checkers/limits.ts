import { Quantity, Resources } from '@scantling/core'
import { isTrue, type Seen } from '../cluster/index.ts'
import { findings, nodePoolOf, type Checker } from './checker.ts'

/**
 * What a NodePool holds never exceeds its limits, not even while replacements are up.
 *
 * Machines that go for another reason (interrupted, expired, deleted by hand) no longer count, as the reference has it:
 * what takes their place must not wait for their end.
 */
export const limitsKept = (): Checker => {
  const { note, violations } = findings()
  return {
    name: 'limits kept',
    onChange: ({ plural, type, object, before }, world) => {
      if (plural !== 'nodeclaims' || type === 'DELETED') return
      if (object.status?.capacity === undefined || before?.status?.capacity !== undefined) return
      const name = nodePoolOf(object)
      const pool = [...world.pools()].find(({ metadata }) => metadata.name === name)
      const limits = pool?.spec.limits
      if (limits === undefined) return
      const held = Resources.add(
        ...[...world.claims()]
          .filter((claim) => nodePoolOf(claim) === name && isHeld(claim))
          .map((claim) => Resources.parse(claim.status?.capacity ?? {})),
      )
      for (const resource of Object.keys(limits)) {
        const limit = Resources.get(Resources.parse(limits), resource)
        const now = Resources.get(held, resource)
        if (Quantity.compare(now, limit) > 0)
          note(`NodePool ${name} holds ${String(now)} of ${resource}, and ${String(limit)} is its limit`)
      }
    },
    violations,
  }
}

const isHeld = (claim: Seen): boolean =>
  claim.metadata.deletionTimestamp === undefined || isTrue(claim, 'DisruptionReason')
