import { compareText } from '../order.ts'
import type { ClusterState } from './cluster-state.ts'
import type { NodeState, PlacedPod } from './node-state.ts'
import { checkWithNominated, type Filters, type Rejection, type VolumeCheck } from './filters.ts'
import { countReason, renderFitError } from './fit-error.ts'
import type { PodClass } from './pod-class.ts'

/** A disruption budget as preemption reads it. */
export interface BudgetView {
  readonly namespace: string
  readonly selects: (labels: Readonly<Record<string, string>> | undefined) => boolean
  readonly disruptionsAllowed: number
}

/** Which pods to delete so that a pod fits, or the sentence that says why none help. */
export type PreemptionOutcome =
  | { readonly _tag: 'Victims'; readonly node: NodeState; readonly victims: ReadonlyArray<PlacedPod> }
  | { readonly _tag: 'None'; readonly message: string }

interface Candidate {
  readonly node: NodeState
  readonly victims: ReadonlyArray<PlacedPod>
  readonly violations: number
}

export interface PreemptionInput {
  readonly state: ClusterState
  readonly filters: Filters
  readonly podClass: PodClass
  readonly checkVolumes: VolumeCheck | undefined
  readonly rejections: ReadonlyMap<NodeState, Rejection>
  readonly budgets: ReadonlyArray<BudgetView>
  readonly nominatedOn: (node: NodeState) => ReadonlyArray<PlacedPod>
}

const notHelpful = 'Preemption is not helpful for scheduling'
const noVictims = 'No preemption victims found for incoming pod'

// As kube-scheduler: enough candidates to choose from, not the whole of a large cluster.
const mostCandidates = 100

/**
 * Looks for a node where deleting pods of lower priority makes room.
 *
 * Preferred are nodes where no budget is violated, then those whose victims are least important, then fewest.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
export const planPreemption = (input: PreemptionInput): PreemptionOutcome => {
  const { state, podClass, rejections } = input
  const nodes = state.nodes()
  const none = (message: string): PreemptionOutcome => ({ _tag: 'None', message })
  if (!podClass.canPreempt) return none('not eligible due to preemptionPolicy=Never.')
  const reasons = new Map<string, number>()
  const lowest = state.lowestPriority()
  const hasLower = lowest !== undefined && lowest < podClass.priority
  let best: Candidate | undefined
  let found = 0
  for (const node of nodes) {
    const rejection = rejections.get(node)
    if (rejection === undefined || !rejection.isResolvable) {
      countReason(reasons, [notHelpful])
      continue
    }
    if (!hasLower || found >= mostCandidates) {
      countReason(reasons, [noVictims])
      continue
    }
    const candidate = victimsOn(node, input)
    if ('victims' in candidate) {
      found += 1
      if (best === undefined || isBetter(candidate, best)) best = candidate
    } else countReason(reasons, candidate.reasons)
  }
  return best === undefined
    ? none(renderFitError(nodes.length, reasons))
    : { _tag: 'Victims', node: best.node, victims: best.victims }
}

const victimsOn = (
  node: NodeState,
  input: PreemptionInput,
): Candidate | { readonly reasons: ReadonlyArray<string> } => {
  const { state, filters, podClass, checkVolumes, budgets, nominatedOn } = input
  const lower = [...node.pods].filter((pod) => pod.podClass.priority < podClass.priority)
  if (lower.length === 0) return { reasons: [noVictims] }
  const makeTrial = () => filters.trial(podClass, checkVolumes)
  const check = () => checkWithNominated(state, makeTrial, node, nominatedOn(node))
  for (const pod of lower) state.suspend(pod, node)
  const stillRejected = check()
  const victims: Array<PlacedPod> = []
  let violations = 0
  const removed = new Set(lower)
  if (stillRejected === undefined) {
    // Those whose eviction would break a budget are spared first, then the most important.
    const { violating, harmless } = splitByBudgets(lower.sort(byImportance), budgets)
    for (const [isViolating, group] of [[true, violating] as const, [false, harmless] as const]) {
      for (const pod of group) {
        state.reinstate(pod, node)
        removed.delete(pod)
        if (check() === undefined) continue
        state.suspend(pod, node)
        removed.add(pod)
        victims.push(pod)
        if (isViolating) violations += 1
      }
    }
  }
  for (const pod of removed) state.reinstate(pod, node)
  if (stillRejected !== undefined) return { reasons: stillRejected.reasons }
  return { node, victims: victims.sort(byImportance), violations }
}

const startOf = (pod: PlacedPod) => pod.object.status?.startTime ?? pod.object.metadata.creationTimestamp

/** Most important first: higher priority, then longer running. */
const byImportance = (a: PlacedPod, b: PlacedPod): number =>
  b.podClass.priority - a.podClass.priority || compareText(startOf(a), startOf(b)) || compareText(a.key, b.key)

const splitByBudgets = (pods: ReadonlyArray<PlacedPod>, budgets: ReadonlyArray<BudgetView>) => {
  const left = budgets.map(({ disruptionsAllowed }) => disruptionsAllowed)
  const violating: Array<PlacedPod> = []
  const harmless: Array<PlacedPod> = []
  for (const pod of pods) {
    const { namespace, labels } = pod.object.metadata
    let isViolating = false
    for (const [index, budget] of budgets.entries()) {
      if (budget.namespace !== namespace || !budget.selects(labels)) continue
      left[index] = (left[index] ?? 0) - 1
      if ((left[index] ?? 0) < 0) isViolating = true
    }
    if (isViolating) violating.push(pod)
    else harmless.push(pod)
  }
  return { violating, harmless }
}

const isBetter = (a: Candidate, b: Candidate): boolean => {
  const highest = ({ victims }: Candidate) => victims[0]?.podClass.priority ?? -Infinity
  const sum = ({ victims }: Candidate) => victims.reduce((total, pod) => total + pod.podClass.priority + 2 ** 31, 0)
  const start = ({ victims }: Candidate) => (victims[0] === undefined ? '' : startOf(victims[0]))
  const order =
    a.violations - b.violations ||
    compareNumber(highest(a), highest(b)) ||
    sum(a) - sum(b) ||
    a.victims.length - b.victims.length ||
    // Of equals, the node whose most important victim started last.
    compareText(start(b), start(a))
  return order < 0
}

const compareNumber = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0)
