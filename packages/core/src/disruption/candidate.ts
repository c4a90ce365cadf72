import type { ReadonlyNonEmptyArray } from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import {
  Pods,
  podKey,
  StateNodes,
  type NodePool,
  type Pod,
  type PodDisruptionBudget,
  type Snapshot,
  type StateNode,
} from '../cluster/index.ts'
import { annotationKeys, labelKeys, Labels, type Selector } from '../labels/index.ts'
import { costRules, evictionCost, nodePricePerHour, rescheduleCost, type CostRules } from './cost.ts'
import type { BlockedReason, Candidate } from './plan.ts'
import * as E from 'fp-ts/lib/Either.js'

/** A node that may be disrupted as far as node, NodePool and pods are concerned. */
export interface CandidateState {
  readonly state: StateNode
  readonly nodePool: NodePool
  readonly candidate: Candidate
}

/** Budgets with their selectors read once. A selector that cannot be read matches every pod: better stuck than broken. */
export interface PodBudgets {
  readonly byNamespace: ReadonlyMap<
    string,
    ReadonlyArray<{ readonly budget: PodDisruptionBudget; readonly selector: Selector }>
  >
}

export const readPodBudgets = (budgets: ReadonlyArray<PodDisruptionBudget>): PodBudgets => {
  const byNamespace = new Map<string, Array<{ budget: PodDisruptionBudget; selector: Selector }>>()
  for (const budget of budgets) {
    const checked = Labels.checkSelector(budget.selector)
    const list = byNamespace.get(budget.namespace) ?? []
    list.push({ budget, selector: E.isRight(checked) ? checked.right : Labels.selectEverything })
    byNamespace.set(budget.namespace, list)
  }
  return { byNamespace }
}

/** `eventual`: pods may ask to be left alone only until the claim's terminationGracePeriod ends (D-CAND-08). */
export type DisruptionClass = 'graceful' | 'eventual'

/**
 * The candidate that a node makes, or what keeps it from being one. D-CAND-03…09, in that order.
 */
export const candidateOf = (
  state: StateNode,
  snapshot: Snapshot,
  pools: ReadonlyMap<string, NodePool>,
  budgets: PodBudgets,
  disruptionClass: DisruptionClass = 'graceful',
): E.Either<BlockedReason, CandidateState> => {
  const { claim, node } = state
  if (claim === undefined) return E.left({ _tag: 'NoClaim' })
  if (node === undefined) return E.left({ _tag: 'NoNode' })
  if (!StateNodes.isInitialized(state)) return E.left({ _tag: 'NotInitialized' })
  if (state.isMarkedForDeletion || node.deletionTimestampMs !== undefined) return E.left({ _tag: 'Deleting' })
  if (state.nominatedUntilMs !== undefined && state.nominatedUntilMs > snapshot.nowMs)
    return E.left({ _tag: 'Nominated', untilMs: state.nominatedUntilMs })
  // Only the literal text blocks: durations are for pods (D-CAND-04).
  if (node.annotations[annotationKeys.doNotDisrupt] === 'true') return E.left({ _tag: 'DoNotDisrupt' })
  const poolName = node.labels[labelKeys.nodePool]
  const nodePool = poolName === undefined ? undefined : pools.get(poolName)
  const types = poolName === undefined ? undefined : snapshot.instanceTypes.get(poolName)
  if (nodePool === undefined || types === undefined || types.length === 0)
    return E.left({ _tag: 'NodePoolNotFound', nodePool: poolName })
  const isBounded = disruptionClass === 'eventual' && claim.terminationGracePeriodMs !== undefined
  const blocking = isBounded ? undefined : blockingPod(state.pods, budgets, snapshot.nowMs)
  if (blocking) return E.left(blocking)
  return E.right({
    state,
    nodePool,
    candidate: {
      node: node.name,
      claim: claim.name,
      nodePool: nodePool.name,
      pricePerHour: nodePricePerHour(state, types),
      rescheduleCost: rescheduleCost(state.pods, costRules(snapshot)),
    },
  })
}

const blockingPod = (pods: ReadonlyArray<Pod>, budgets: PodBudgets, nowMs: number): BlockedReason | undefined => {
  for (const pod of pods)
    if (Pods.isActive(pod) && Pods.isDoNotDisruptActive(pod, nowMs))
      return { _tag: 'PodDoNotDisrupt', pod: podKey(pod) }
  for (const pod of pods) {
    if (!Pods.isEvictable(pod, nowMs)) continue
    const blocking = budgetsAgainst(pod, budgets)
    if (blocking) return { _tag: 'PodDisruptionBudget', pod: podKey(pod), budgets: blocking }
  }
  return undefined
}

// Several budgets on one pod block whatever they allow, because the eviction API refuses such pods (P-11, P-12, P-13).
const budgetsAgainst = (pod: Pod, { byNamespace }: PodBudgets): ReadonlyNonEmptyArray<string> | undefined => {
  const matching = (byNamespace.get(pod.namespace) ?? []).filter(({ selector }) => Labels.matches(selector, pod.labels))
  const blocks =
    matching.length > 1 ||
    matching.some(
      ({ budget }) =>
        budget.disruptionsAllowed === 0 && !(budget.unhealthyPodEvictionPolicy === 'AlwaysAllow' && !pod.isReady),
    )
  const [first, ...rest] = matching.map(({ budget }) => `${budget.namespace}/${budget.name}`)
  return blocks && first !== undefined ? [first, ...rest] : undefined
}

/**
 * Whether nothing on the node minds being moved: no reschedulable pod has a positive cost, and no buffer counts on its
 * room. D-CAND-16, P-CBC-08.
 */
export const isEmpty = (state: StateNode, rules?: CostRules): boolean =>
  (state.bufferPods ?? 0) === 0 && !state.pods.some((pod) => Pods.isReschedulable(pod) && evictionCost(pod, rules) > 0)
