import type { DaemonSetObject, NodeObject, PodSpec, Toleration } from '../objects.ts'
import { admitsNode, isTolerated } from '../selectors.ts'

/**
 * The tolerations that every daemon pod gets.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
 */
export const daemonTolerations = (spec: PodSpec): ReadonlyArray<Toleration> => [
  ...['not-ready', 'unreachable'].map((name) => tolerate(name, 'NoExecute')),
  ...['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map((name) => tolerate(name, 'NoSchedule')),
  ...(spec.hostNetwork === true ? [tolerate('network-unavailable', 'NoSchedule')] : []),
]

const tolerate = (name: string, effect: string): Toleration => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect,
})

/** Whether a node may get a daemon's pod, and whether one that is there may stay. */
export const daemonEligibility = (
  set: DaemonSetObject,
  node: NodeObject,
): { readonly shouldRun: boolean; readonly mayStay: boolean } => {
  const spec = set.spec.template?.spec ?? {}
  const { name, labels = {} } = node.metadata
  const isElsewhere = spec.nodeName !== undefined && spec.nodeName !== '' && spec.nodeName !== name
  if (isElsewhere || !admitsNode(spec, labels, name)) return { shouldRun: false, mayStay: false }
  const tolerations = [...(spec.tolerations ?? []), ...daemonTolerations(spec)]
  const refused = (node.spec?.taints ?? []).filter((taint) => !isTolerated(taint, tolerations))
  return {
    shouldRun: refused.every(({ effect }) => effect === 'PreferNoSchedule'),
    // A pod that runs stays when new pods would be kept away.
    mayStay: refused.every(({ effect }) => effect !== 'NoExecute'),
  }
}

/**
 * The spec of the pod for one node: pinned to it by a field selector on the name, bound by the scheduler.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled
 */
export const daemonPodSpec = (spec: PodSpec, nodeName: string): PodSpec => {
  const affinity = spec.affinity ?? {}
  const required = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [nodeName] }]
  const terms = required === undefined ? [{ matchFields }] : required.map((term) => ({ ...term, matchFields }))
  return {
    ...spec,
    affinity: {
      ...affinity,
      nodeAffinity: {
        ...affinity.nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
      },
    },
    tolerations: withoutRepeats([...(spec.tolerations ?? []), ...daemonTolerations(spec)]),
  }
}

const withoutRepeats = (tolerations: ReadonlyArray<Toleration>): ReadonlyArray<Toleration> => {
  const seen = new Set<string>()
  return tolerations.filter(({ key, operator, value, effect }) => {
    const text = JSON.stringify([key, operator, value, effect])
    return seen.has(text) ? false : seen.add(text)
  })
}
