import type { CapacityBuffer } from '../cluster/index.ts'
import { Quantity, Resources, type ResourceList } from '../quantity/index.ts'

/**
 * How many units a buffer keeps (P-CBC-02).
 *
 * The larger of `replicas` and `percentage` of the workload, and no more than `limits` allow; with neither of the two,
 * as many as the limits allow. Limits on resources that a unit does not request bind nothing.
 *
 * @example
 * bufferSize({ replicas: 2, percentage: 10 }, { workloadReplicas: 45, requests: Resources.parse({ cpu: '1' }) })
 * // => 5
 */
export const bufferSize = (
  { replicas, percentage, limits }: Pick<CapacityBuffer, 'replicas' | 'percentage' | 'limits'>,
  unit: { readonly workloadReplicas?: number; readonly requests: ResourceList },
): number => {
  const share = percentage === undefined ? undefined : shareOf(percentage, unit.workloadReplicas)
  const wanted = replicas === undefined ? share : Math.max(replicas, share ?? 0)
  const allowed = limits === undefined ? undefined : unitsWithin(limits, unit.requests)
  if (wanted === undefined) return allowed ?? 0
  return Math.min(wanted, allowed ?? wanted)
}

// Rounded up; a workload that has any replica and any percentage has at least one unit.
const shareOf = (percentage: number, workloadReplicas: number | undefined): number | undefined =>
  workloadReplicas === undefined ? undefined : Math.ceil((workloadReplicas * percentage) / 100)

const unitsWithin = (limits: ResourceList, requests: ResourceList): number | undefined => {
  let least: number | undefined
  for (const name of Object.keys(limits)) {
    const request = Quantity.toNano(Resources.get(requests, name))
    if (request <= 0n) continue
    const limit = Quantity.toNano(Resources.get(limits, name))
    const units = limit <= 0n ? 0 : Number(limit / request)
    least = least === undefined ? units : Math.min(least, units)
  }
  return least
}
