import type { Seen } from '../cluster/index.ts'
import { findings, type Checker, type World } from './checker.ts'

/**
 * A pod under a PodDisruptionBudget is taken down by an eviction, which the API server counts, or not at all.
 *
 * Pods of machines that the cloud takes away are nobody's fault.
 */
export const podBudgetsKept = (isInterrupted: (node: string) => boolean): Checker => {
  const { note, violations } = findings()
  return {
    name: 'pod budgets kept',
    onEffect: ({ name, subject = '' }, world) => {
      if (name !== 'delete Pod') return
      const pod = [...world.pods()].find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === subject)
      const node = pod?.spec.nodeName ?? ''
      if (pod !== undefined && isRunning(pod) && isCovered(pod, world) && !isInterrupted(node))
        note(`Pod ${subject} on ${node} was deleted past its PodDisruptionBudget`)
    },
    onChange: ({ plural, type, object }, world) => {
      if (plural !== 'nodes' || type !== 'DELETED' || isInterrupted(object.metadata.name)) return
      for (const pod of world.podsOn(object.metadata.name)) {
        if (isRunning(pod) && isCovered(pod, world))
          note(`Node ${object.metadata.name} went with pod ${pod.metadata.name} on it, past its PodDisruptionBudget`)
      }
    },
    violations,
  }
}

const isRunning = ({ metadata, status }: Seen): boolean =>
  metadata.deletionTimestamp === undefined && status.phase === 'Running'

const isCovered = ({ metadata }: Seen, world: World): boolean => {
  for (const { metadata: own, spec } of world.budgets()) {
    const wanted = Object.entries(spec.selector?.matchLabels ?? {})
    if (own.namespace === metadata.namespace && wanted.every(([key, value]) => metadata.labels?.[key] === value))
      return true
  }
  return false
}
