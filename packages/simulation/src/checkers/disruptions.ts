import { conditionOf } from '../cluster/index.ts'
import type { Checker } from './checker.ts'

/** Counts claims that were let go, by the reason that they state. */
export interface DisruptionCounter extends Checker {
  readonly byReason: () => ReadonlyMap<string, number>
}

/** `other`: expired, interrupted, deleted by hand, or never joined. */
export const countDisruptions = (): DisruptionCounter => {
  const counts = new Map<string, number>()
  return {
    name: 'disruptions',
    onChange: ({ plural, type, object, before }) => {
      if (plural !== 'nodeclaims' || type === 'DELETED' || object.metadata.deletionTimestamp === undefined) return
      if (before?.metadata.deletionTimestamp !== undefined) return
      const condition = conditionOf(object, 'DisruptionReason')
      const reason = condition?.status === 'True' ? condition.reason : 'other'
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
    },
    violations: () => [],
    byReason: () => counts,
  }
}
