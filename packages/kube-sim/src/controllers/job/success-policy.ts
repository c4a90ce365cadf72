import type { JobObject } from '../objects.ts'
import { parseIndexes } from './indexes.ts'

/**
 * The first rule of a success policy that the succeeded indexes meet: all of its indexes, or as many of them as it counts.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy
 */
export const metSuccessRule = (
  policy: JobObject['spec']['successPolicy'],
  completions: number,
  completed: ReadonlySet<number>,
): number | undefined => {
  if (completed.size === 0) return undefined
  const found = (policy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount = Infinity }) => {
    if (succeededIndexes === undefined) return completed.size >= succeededCount
    const asked = parseIndexes(succeededIndexes, completions)
    const met = [...asked].filter((index) => completed.has(index)).length
    return asked.size > 0 && (met === asked.size || met >= succeededCount)
  })
  return found < 0 ? undefined : found
}
