import type { ClaimState, Condition, NodePool, NodeState, Snapshot, StateNode } from '../cluster/index.ts'
import type { Labels } from '../labels/index.ts'
import { savedOpening } from './form.ts'

/**
 * The text of a snapshot, in pieces, for `readSnapshot`.
 *
 * It holds what planners read and nothing else: of annotations only Karpenter's and our own, of conditions no messages.
 *
 * Cost: O(objects); a piece is one node, pod or instance type, so that whoever writes them can pause in between.
 *
 * @example
 * import { snapshotFor } from '@scantling/core/testing'
 * const text = Array.from(saveSnapshot(snapshotFor({ pods: [] }))).join('')
 * isSavedSnapshot(text) // => true
 */
export const saveSnapshot = (snapshot: Snapshot): Iterable<string> => pieces(snapshot)

function* pieces(snapshot: Snapshot): Generator<string, void, void> {
  const kept: Snapshot = {
    ...snapshot,
    nodes: snapshot.nodes.map(nodeToSave),
    nodePools: snapshot.nodePools.map(nodePoolToSave),
  }
  const repeated = yield* findRepeated(kept)
  const encode = encoderOf(repeated)
  yield savedOpening
  let isFirst = true
  for (const [field, value] of Object.entries(kept) as ReadonlyArray<[string, unknown]>) {
    if (value === undefined) continue
    yield `${isFirst ? '' : ','}${JSON.stringify(field)}:`
    isFirst = false
    if (!Array.isArray(value)) {
      yield JSON.stringify(encode(value))
      continue
    }
    yield '['
    for (const [index, item] of value.entries()) yield `${index === 0 ? '' : ','}${JSON.stringify(encode(item))}`
    yield ']'
  }
  yield '}}\n'
}

const nodeToSave = (node: StateNode): StateNode => ({
  ...node,
  ...(node.node === undefined ? {} : { node: stripped(node.node) }),
  ...(node.claim === undefined ? {} : { claim: stripped(node.claim) }),
})

const stripped = <A extends NodeState | ClaimState>(object: A): A => ({
  ...object,
  annotations: readAnnotations(object.annotations),
  conditions: object.conditions.map((condition): Condition => ({ ...condition, message: '' })),
})

const nodePoolToSave = (nodePool: NodePool): NodePool => ({
  ...nodePool,
  annotations: readAnnotations(nodePool.annotations),
})

const isRead = (key: string): boolean => /^([^/]+\.)?karpenter\.sh\/|^scantling\.sh\//.test(key)

const readAnnotations = (annotations: Labels): Labels =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => isRead(key)))

/** The objects that are met more than once. Yields empty pieces, because it looks at everything before the first. */
function* findRepeated(snapshot: Snapshot): Generator<string, ReadonlySet<object>, void> {
  const met = new Set<object>()
  const repeated = new Set<object>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if (met.has(value)) return void repeated.add(value)
    met.add(value)
    for (const part of partsOf(value)) visit(part)
  }
  for (const value of Object.values(snapshot) as ReadonlyArray<unknown>) {
    for (const part of Array.isArray(value) ? (value as ReadonlyArray<unknown>) : [value]) {
      visit(part)
      yield ''
    }
  }
  return repeated
}

const partsOf = (value: object): Iterable<unknown> =>
  value instanceof Map ? [...value.values()] : value instanceof Set ? [] : Object.values(value)

const encoderOf = (repeated: ReadonlySet<object>): ((value: unknown) => unknown) => {
  const numbers = new Map<object, number>()
  const encode = (value: unknown): unknown => {
    if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) }
    if (typeof value !== 'object' || value === null) return value
    const known = numbers.get(value)
    if (known !== undefined) return { $ref: known }
    if (!repeated.has(value)) return formOf(value)
    const number = numbers.size
    numbers.set(value, number)
    return { $is: number, $as: formOf(value) }
  }
  const formOf = (value: object): unknown => {
    if (value instanceof Map) return { $map: [...value].map(([key, item]) => [key, encode(item)]) }
    if (value instanceof Set) return { $set: [...value] }
    if (Array.isArray(value)) return value.map(encode)
    const form = Object.create(null) as Record<string, unknown>
    for (const [key, item] of Object.entries(value)) if (item !== undefined) form[key] = encode(item)
    return form
  }
  return encode
}
