import type { ProvisioningPlan } from '../scheduling/index.ts'

/**
 * A plan in one sentence.
 *
 * @example
 * import { pendingPod, snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({ pods: [pendingPod('web-0')] })
 * const plan = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })
 * renderSummary(plan) // => 'Launch 1 node for 1 pod at 2.0000 an hour'
 */
export const renderSummary = ({ launches, placements, rejections }: ProvisioningPlan): string => {
  const count = (groups: ReadonlyArray<{ readonly pods: ReadonlyArray<unknown> }>) =>
    groups.reduce((sum, { pods }) => sum + pods.length, 0)
  const price = launches.reduce((sum, { pricePerHour = 0 }) => sum + pricePerHour, 0)
  const placed = count(placements)
  const parts = [
    ...(launches.length === 0
      ? []
      : [
          `Launch ${counted(launches.length, 'node')} for ${counted(count(launches), 'pod')} at ${renderPrice(price)} an hour`,
        ]),
    ...(placed === 0 ? [] : [`${counted(placed, 'pod')} ${placed === 1 ? 'fits' : 'fit'} nodes that exist`]),
    ...(rejections.length === 0
      ? []
      : [`${counted(rejections.length, 'pod')} ${rejections.length === 1 ? 'has' : 'have'} no place`]),
  ]
  return parts.length === 0 ? 'Nothing to do' : parts.join('; ')
}

/**
 * Dollars and cents mean nothing at these sizes; four decimals tell spot prices apart.
 *
 * @example
 * renderPrice(0.0479) // => '0.0479'
 */
export const renderPrice = (pricePerHour: number): string => pricePerHour.toFixed(4)

/**
 * `1 pod`, `2 pods`.
 *
 * @example
 * counted(1, 'pod') // => '1 pod'
 * counted(2, 'pod') // => '2 pods'
 */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
