import type { NodeClaimObject, NodeObject, PodObject } from '@scantling/core'
import type { Caches, Change } from '../cache/index.ts'
import type { KubeObject } from '../kube/index.ts'

/** Counts the changes of a cluster that disruption could hang on. */
export const countChanges = (caches: Caches): { readonly count: () => number; readonly add: () => void } => {
  let count = 0
  const add = () => {
    count += 1
  }
  /** What of an object is compared; `undefined`: any change counts. */
  const follow = <A extends KubeObject>(
    cache: { readonly onChange: (listener: (change: Change<A>) => void) => () => void },
    of: (object: A) => ReadonlyArray<unknown>,
  ) =>
    cache.onChange((change) => {
      if (change._tag === 'Modified' && isEqual(of(change.previous), of(change.current))) return
      add()
    })
  follow(caches.pods, podFacts)
  follow(caches.nodes, nodeFacts)
  follow(caches.nodeClaims, claimFacts)
  follow(caches.nodePools, ({ metadata, status }) => [metadata.generation, metadata.deletionTimestamp, readyOf(status)])
  follow(caches.podDisruptionBudgets, ({ metadata, status }) => [metadata.generation, status.disruptionsAllowed])
  follow(caches.daemonSets, ({ metadata }) => [metadata.generation])
  return { count: () => count, add }
}

interface Conditioned {
  readonly conditions: ReadonlyArray<{ readonly type: string; readonly status: string }>
}

const conditionsOf = ({ conditions }: Conditioned) => conditions.map(({ type, status }) => `${type}=${status}`).join()
const readyOf = ({ conditions }: Conditioned) => conditions.find(({ type }) => type === 'Ready')?.status

const podFacts = ({ metadata, spec, status }: PodObject) => [
  spec.nodeName,
  status.phase,
  metadata.deletionTimestamp,
  readyOf(status),
  metadata.annotations,
  metadata.labels,
]

// The kubelet writes to its Node all the time; what it says of health counts only as far as it is Ready.
const nodeFacts = ({ metadata, spec, status }: NodeObject) => [
  metadata.deletionTimestamp,
  metadata.labels,
  metadata.annotations,
  spec.taints,
  spec.unschedulable,
  status.allocatable,
  readyOf(status),
]

const claimFacts = ({ metadata, status }: NodeClaimObject) => [
  metadata.deletionTimestamp,
  status.providerID,
  conditionsOf(status),
]

const isEqual = (a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown>): boolean =>
  a.every((fact, index) => fact === b[index] || JSON.stringify(fact) === JSON.stringify(b[index]))
