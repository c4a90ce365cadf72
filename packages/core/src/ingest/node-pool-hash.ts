import type { NodePoolObject } from '../api/index.ts'
import { compareText } from '../internal/index.ts'

/**
 * The hash of what claims copy from a NodePool's template, by which drift is noticed (P-NPR-05).
 *
 * Requirements are left out: drift from those is judged by a node's labels. Empty values count as absent and lists as
 * sets, so a default that an API server writes out or an order that it changes is no drift.
 */
export const nodePoolHash = ({ spec: { template } }: NodePoolObject): string => {
  const { requirements: _, ...spec } = template.spec
  return fnv1a(canonical({ metadata: template.metadata, spec }))
}

const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).sort(compareText).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const record = value as Readonly<Record<string, unknown>>
  const fields = Object.keys(record)
    .sort(compareText)
    .filter((key) => !isZero(record[key]))
    .map((key) => `${JSON.stringify(key)}:${canonical(record[key])}`)
  return `{${fields.join()}}`
}

const isZero = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && Object.values(value).every(isZero))

// 64 bits: a change must not go unnoticed among a fleet's NodePools. Source: RFC draft "The FNV hash", variant 1a.
const fnv1a = (text: string): string => {
  let hash = 0xcbf29ce484222325n
  for (let index = 0; index < text.length; index += 1) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n)
  }
  return hash.toString()
}
