import type { NodePool } from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { compareText } from '../internal/index.ts'
import { labelKeys } from '../labels/index.ts'

/** A NodePool whose wildcards are written out, and those that stand for nothing. */
export interface ExpandedNodePool {
  readonly nodePool: NodePool
  /** Patterns of an `In` that no type matches: mistakes, since they allow nothing. */
  readonly unmatched: ReadonlyArray<string>
}

/**
 * Writes out wildcards in instance type requirements, such as `t3.*`, against the types on offer.
 *
 * `*` stands for any text. The reference refuses such values; tutorials use them all the same (a listed difference).
 * A NodePool without wildcards is returned as it is.
 *
 * Cost: O(patterns x types).
 *
 * @example
 * import { nodePool } from '@scantling/core/testing'
 * const small = { key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['t3.*'] } as const
 * const expanded = expandTypePatterns(nodePool('small', { requirements: [small] }), [
 *   { name: 't3.small' },
 *   { name: 'm5.large' },
 * ])
 * expanded.nodePool.requirements // => [{ ...small, values: ['t3.small'] }]
 */
export const expandTypePatterns = (
  nodePool: NodePool,
  types: ReadonlyArray<Pick<InstanceType, 'name'>>,
): ExpandedNodePool => {
  if (!nodePool.requirements.some(({ key, values = [] }) => key === labelKeys.instanceType && values.some(isPattern))) {
    return { nodePool, unmatched: [] }
  }
  const unmatched: Array<string> = []
  const requirements = nodePool.requirements.map((requirement) => {
    const { key, operator, values = [] } = requirement
    if (key !== labelKeys.instanceType || !values.some(isPattern)) return requirement
    const written = new Set<string>()
    for (const value of values) {
      const names = isPattern(value) ? types.map(({ name }) => name).filter(matcherOf(value)) : [value]
      if (names.length === 0 && operator === 'In') unmatched.push(value)
      for (const name of names) written.add(name)
    }
    return { ...requirement, values: [...written].sort(compareText) }
  })
  return { nodePool: { ...nodePool, requirements }, unmatched }
}

const isPattern = (value: string) => value.includes('*')

// Greedy from the left with the ends pinned: linear, where a regular expression of many stars would backtrack.
const matcherOf = (pattern: string) => {
  const parts = pattern.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  const middle = parts.slice(1, -1)
  return (name: string): boolean => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
    let from = first.length
    const end = name.length - last.length
    for (const part of middle) {
      const found = name.indexOf(part, from)
      if (found < 0 || found + part.length > end) return false
      from = found + part.length
    }
    return true
  }
}
