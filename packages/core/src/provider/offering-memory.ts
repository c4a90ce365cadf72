import { compareNumber } from '../internal/index.ts'
import type { InstanceType, Offering } from '../instance/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import type { UnavailableMark } from './unavailable-mark.ts'

/**
 * What is known of offerings that could not be bought lately: marks with the time at which each is forgotten.
 *
 * A value; `remember` and `forget` return another. The shell starts with none, since a cloud tells again.
 */
export interface OfferingMemory {
  readonly marks: ReadonlyArray<RememberedMark>
}

export interface RememberedMark extends UnavailableMark {
  /** **Units**: milliseconds since the epoch. */
  readonly untilMs: number
}

export const empty: OfferingMemory = { marks: [] }

/**
 * The memory with further marks, and without those that are past. A mark on the same offerings replaces the older one.
 *
 * @example
 * const match = Requirements.fromLabels({ 'topology.kubernetes.io/zone': 'a' })
 * const memory = OfferingMemories.remember(OfferingMemories.empty, [{ match, forMs: 60_000, reason: 'sold out' }], 0)
 * OfferingMemories.nextForgetMs(memory) // => 60_000
 */
export const remember = (
  memory: OfferingMemory,
  marks: ReadonlyArray<UnavailableMark>,
  nowMs: number,
): OfferingMemory => {
  const byMatch = new Map(forget(memory, nowMs).marks.map((mark) => [Requirements.render(mark.match), mark]))
  for (const mark of marks) {
    const key = Requirements.render(mark.match)
    const untilMs = Math.max(nowMs + mark.forMs, byMatch.get(key)?.untilMs ?? 0)
    byMatch.set(key, { ...mark, untilMs })
  }
  return { marks: [...byMatch.values()] }
}

/**
 * The memory without the marks that are past; the same object when there are none.
 *
 * @example
 * const match = Requirements.fromLabels({ 'topology.kubernetes.io/zone': 'a' })
 * const memory = OfferingMemories.remember(OfferingMemories.empty, [{ match, forMs: 60_000, reason: 'sold out' }], 0)
 * OfferingMemories.forget(memory, 60_000) // => OfferingMemories.empty
 */
export const forget = (memory: OfferingMemory, nowMs: number): OfferingMemory =>
  memory.marks.every(({ untilMs }) => untilMs > nowMs)
    ? memory
    : { marks: memory.marks.filter(({ untilMs }) => untilMs > nowMs) }

/**
 * When the next mark is forgotten; `undefined` when there is none.
 *
 * @example
 * OfferingMemories.nextForgetMs(OfferingMemories.empty) // => undefined
 */
export const nextForgetMs = ({ marks }: OfferingMemory): number | undefined =>
  marks.map(({ untilMs }) => untilMs).sort(compareNumber)[0]

/**
 * The types with the marked offerings unavailable.
 *
 * Types without a marked offering are the same objects, and so is the array when there are none: planners compile by
 * identity.
 *
 * Cost: O(types x marks) for types that no mark concerns.
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * const match = Requirements.fromLabels({ 'topology.kubernetes.io/zone': 'a' })
 * const memory = OfferingMemories.remember(OfferingMemories.empty, [{ match, forMs: 60_000, reason: 'sold out' }], 0)
 * const [type] = OfferingMemories.applyMemory([instanceType('m5.large', 2)], memory, 1_000)
 * type?.offerings.map(({ unavailable }) => unavailable?.reason) // => ['sold out', undefined]
 */
export const applyMemory = (
  types: ReadonlyArray<InstanceType>,
  memory: OfferingMemory,
  nowMs: number,
): ReadonlyArray<InstanceType> => {
  const marks = memory.marks.filter(({ untilMs }) => untilMs > nowMs)
  if (marks.length === 0) return types
  let changed = false
  const applied = types.map((type) => {
    const offerings = markOfferings(type, marks)
    if (offerings === type.offerings) return type
    changed = true
    return { ...type, offerings }
  })
  return changed ? applied : types
}

/**
 * Whether a mark concerns an offering of a type: the offering's requirements, laid over the type's, define every key of
 * the mark and meet it.
 *
 * @example
 * import { instanceType, offering } from '@scantling/core/testing'
 * const mark = {
 *   match: Requirements.fromLabels({ 'karpenter.sh/capacity-type': 'spot' }),
 *   forMs: 1,
 *   reason: 'sold out',
 * }
 * OfferingMemories.isMarked(instanceType('m5.large', 2), offering('a', 'spot', 0.1), mark) // => true
 */
export const isMarked = (type: InstanceType, offering: Offering, mark: UnavailableMark): boolean => {
  for (const demand of mark.match.byKey.values())
    if (!isMet(offering.requirements.byKey.get(demand.key) ?? type.requirements.byKey.get(demand.key), demand))
      return false
  return true
}

const markOfferings = (type: InstanceType, marks: ReadonlyArray<RememberedMark>): ReadonlyArray<Offering> => {
  const relevant = marks.filter((mark) => mayConcern(type, mark))
  if (relevant.length === 0) return type.offerings
  let changed = false
  const offerings = type.offerings.map((offering) => {
    const mark = offering.unavailable ? undefined : relevant.find((one) => isMarked(type, offering, one))
    if (mark === undefined) return offering
    changed = true
    const { reason, message } = mark
    return { ...offering, unavailable: { reason, ...(message !== undefined && { message }) } }
  })
  return changed ? offerings : type.offerings
}

// Most marks name one type: keys that the type alone decides settle them before any offering is looked at.
const mayConcern = (type: InstanceType, mark: UnavailableMark): boolean => {
  for (const demand of mark.match.byKey.values()) {
    const supply = type.requirements.byKey.get(demand.key)
    if (isMet(supply, demand)) continue
    if (!type.offerings.some(({ requirements }) => requirements.byKey.has(demand.key))) return false
  }
  return true
}

const isMet = (supply: Requirement | undefined, demand: Requirement): boolean =>
  supply !== undefined &&
  Requirement.operatorOf(supply) !== 'DoesNotExist' &&
  Requirement.hasIntersection(supply, demand)
