import { hashText } from '../../internal/index.ts'
import { Time } from '../../time/index.ts'
import type { NodePoolObject } from './node-pool.ts'

/**
 * The version of `nodePoolHash`, stamped beside it.
 *
 * Never one of the reference's (`v3` at the time of writing): its hash of the same template is another, and a version
 * that differs makes us stamp its claims anew instead of replacing their nodes (P-NPR-06). Raise the number whenever the
 * hash of an unchanged template changes.
 */
export const nodePoolHashVersion = 'scantling-1'

/**
 * Hash of what a NodePool's nodes are made from: the template without its requirements (P-NPR-05).
 *
 * Equal for templates that mean the same: the order of taints, absent and empty fields, and the text of a duration do not
 * count. Requirements are compared with each node instead, since a wider one makes no node wrong.
 *
 * @example
 * import { nodePoolObject } from '@scantling/core/testing'
 * const labelled = (team: string) =>
 *   nodePoolObject('general', { spec: { template: { metadata: { labels: { team } } } } })
 * nodePoolHash(labelled('a')) === nodePoolHash(labelled('a')) // => true
 * nodePoolHash(labelled('a')) === nodePoolHash(labelled('b')) // => false
 */
export const nodePoolHash = (pool: NodePoolObject): string => {
  const { metadata, spec } = pool.spec.template
  return hashText(
    canonical({
      labels: metadata.labels,
      annotations: metadata.annotations,
      taints: asSet(spec.taints),
      startupTaints: asSet(spec.startupTaints),
      nodeClassRef: { ...spec.nodeClassRef },
      expireAfter: durationOf(spec.expireAfter),
      terminationGracePeriod: durationOf(spec.terminationGracePeriod),
    }),
  )
}

// Never and 0 are the reference's zero values, which it leaves out.
const durationOf = (text: string | undefined): number | undefined => {
  const parsed = text === undefined ? undefined : Time.parseNillableDuration(text)
  return parsed?._tag === 'Right' && parsed.right !== 0 ? parsed.right : undefined
}

const asSet = (items: ReadonlyArray<object>): ReadonlyArray<string> =>
  [...new Set(items.map((item) => canonical({ ...item })))].sort()

// JSON with sorted keys and without empty values.
const canonical = (record: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(
    Object.keys(record)
      .sort()
      .flatMap((key) => {
        const value = record[key]
        if (value === undefined || value === '') return []
        if (Array.isArray(value)) return value.length === 0 ? [] : [[key, value]]
        if (typeof value !== 'object' || value === null) return [[key, value]]
        return Object.keys(value).length === 0 ? [] : [[key, canonical({ ...value })]]
      }),
  )
