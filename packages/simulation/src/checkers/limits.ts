import { Quantity, Resources } from '@scantling/core'
import { findings, nodePoolOf, type Checker } from './checker.ts'

/** What a NodePool holds never exceeds its limits, not even while replacements are up. */
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
          .filter((claim) => nodePoolOf(claim) === name)
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
