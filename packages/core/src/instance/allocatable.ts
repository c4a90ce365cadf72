import { Quantity, Resources, type ResourceList } from '../quantity/index.ts'
import type { InstanceType, Offering } from './instance-type.ts'

const hugePages = 'hugepages-'

/**
 * What the machine has when it is bought by `offering`: the offering's capacity over the type's (P-ITO-04).
 *
 * @example
 * import { instanceType, offering } from '@scantling/core/testing'
 * const bursting = offering('a', 'on-demand', 1, { capacity: Resources.parse({ cpu: '3' }) })
 * capacityOfType(instanceType('t3.large', 2), bursting)['cpu'] // => '3'
 */
export const capacityOfType = (type: InstanceType, offering?: Offering): ResourceList =>
  offering?.capacity === undefined ? type.capacity : overlay(type.capacity, offering.capacity)

/**
 * What a node of the type keeps for itself: the sum of the three reservations, the offering's over it (P-ITO-04).
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * overheadOfType(instanceType('m5.large', 2)) // => { cpu: '100m' }
 */
export const overheadOfType = (type: InstanceType, offering?: Offering): ResourceList => {
  const { kubeReserved, systemReserved, evictionThreshold } = type.overhead
  const total = Resources.add(kubeReserved, systemReserved, evictionThreshold)
  return offering?.overhead === undefined ? total : overlay(total, offering.overhead)
}

/**
 * What pods may use of a node of the type, bought by `offering`.
 *
 * Capacity minus overhead, for the resources in capacity; each huge page size takes its amount out of memory, down to
 * zero (P-ITO-03).
 *
 * Cost: O(resources). Not memoised: callers that loop compile once per type.
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * // The builder's type keeps 0.1 CPU for itself.
 * allocatableOfType(instanceType('m5.large', 2)) // => { cpu: '1900m', memory: '8Gi', pods: '110' }
 */
export const allocatableOfType = (type: InstanceType, offering?: Offering): ResourceList =>
  withoutHugePages(Resources.subtract(capacityOfType(type, offering), overheadOfType(type, offering)))

const withoutHugePages = (list: ResourceList): ResourceList => {
  let memory = Resources.get(list, 'memory')
  const reserved = Object.keys(list).filter((name) => name.startsWith(hugePages))
  if (reserved.length === 0) return list
  for (const name of reserved) memory = Quantity.subtract(memory, Resources.get(list, name))
  return { ...list, memory: Quantity.isNegative(memory) ? Quantity.zero : memory }
}

const overlay = (base: ResourceList, over: ResourceList): ResourceList => {
  const merged = Object.assign(Object.create(null) as Record<string, Quantity>, base)
  for (const name of Object.keys(over)) merged[name] = Resources.get(over, name)
  return merged
}
