import { Quantity, Resources, type ResourceList } from '../quantity/index.ts'

/**
 * How much of a node is asked for, from 0 to 1, by resource.
 *
 * @example
 * utilization(Resources.parse({ cpu: '1' }), Resources.parse({ cpu: '4' }), 'cpu') // => 0.25
 */
export const utilization = (requests: ResourceList, allocatable: ResourceList, resource: string): number => {
  const total = Quantity.toNumber(Resources.get(allocatable, resource))
  return total <= 0 ? 0 : Quantity.toNumber(Resources.get(requests, resource)) / total
}
