import type { ContainerStatus, JobObject, PodFailureRule, PodObject } from '../objects.ts'

/** What the failure of a pod means for its Job: without a rule that it meets, it counts. */
export type FailureVerdict =
  | { readonly _tag: 'Count' }
  | { readonly _tag: 'Ignore' }
  | { readonly _tag: 'FailIndex' }
  | { readonly _tag: 'FailJob'; readonly message: string }

/** Whether a pod counts as failed: one on its way out does, unless its Job replaces only what has ended for good. */
export const hasFailed = ({ spec }: JobObject, { status, metadata }: PodObject): boolean =>
  status?.phase === 'Failed' ||
  (metadata.deletionTimestamp !== undefined && status?.phase !== 'Succeeded' && spec.podReplacementPolicy !== 'Failed')

/**
 * Judges a failed pod by its Job's policy: the first rule that it meets counts.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
 */
export const judgeFailure = ({ spec }: JobObject, pod: PodObject): FailureVerdict => {
  const rules = spec.podFailurePolicy?.rules ?? []
  for (const [index, rule] of rules.entries()) {
    const cause = causeIn(rule, pod)
    if (cause === undefined) continue
    switch (rule.action) {
      case 'Ignore':
      case 'FailIndex':
        return { _tag: rule.action }
      case 'FailJob':
        return { _tag: 'FailJob', message: `${cause} matching FailJob rule at index ${index}` }
      default:
        return { _tag: 'Count' }
    }
  }
  return { _tag: 'Count' }
}

/** What of the pod meets a rule, in words. */
const causeIn = ({ onExitCodes, onPodConditions = [] }: PodFailureRule, pod: PodObject): string | undefined => {
  const { namespace = '', name } = pod.metadata
  const { containerStatuses = [], initContainerStatuses = [], conditions = [] } = pod.status ?? {}
  if (onExitCodes !== undefined) {
    const { containerName, operator, values } = onExitCodes
    // Containers that went well are no reason for a failure, whatever the rule says of 0.
    const meets = (status: ContainerStatus) => {
      const code = status.state?.terminated?.exitCode ?? 0
      return (
        code !== 0 &&
        (containerName === undefined || containerName === status.name) &&
        values.includes(code) === (operator === 'In')
      )
    }
    const guilty = [...containerStatuses, ...initContainerStatuses].find(meets)
    if (guilty === undefined) return undefined
    const code = guilty.state?.terminated?.exitCode
    return `Container ${guilty.name} for pod ${namespace}/${name} failed with exit code ${code}`
  }
  const met = conditions.find(({ type, status }) =>
    onPodConditions.some((pattern) => pattern.type === type && (pattern.status ?? 'True') === status),
  )
  return met === undefined ? undefined : `Pod ${namespace}/${name} has condition ${met.type}`
}
