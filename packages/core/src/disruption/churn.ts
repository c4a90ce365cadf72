import { Pods, podKey } from '../cluster/index.ts'
import type { Steps } from '../internal/index.ts'
import type { CandidateState } from './candidate.ts'
import type { Pass } from './pass.ts'
import type { BlockedReason, ForgoneSaving } from './plan.ts'

/**
 * Why a node is left alone for the sake of pods that were moved a short while ago, or `undefined`.
 *
 * A pod that was moved is known by two things: disruption moved pods of its workload within the window, and the pod is
 * younger than the window. That a workload was moved again since then must not hide that this pod was moved before, so
 * the pod's own age counts, and a pod that was added in the meantime is left alone as well.
 */
export const recentMove = ({ state }: CandidateState, pass: Pass): BlockedReason | undefined => {
  const { movedWorkloads, moveAgainAfterMs, snapshot, avoidsChurn } = pass
  if (!avoidsChurn || movedWorkloads.size === 0) return undefined
  for (const pod of state.pods) {
    const movedAtMs = pod.owner === undefined ? undefined : movedWorkloads.get(pod.owner.uid)
    if (movedAtMs === undefined || !Pods.isReschedulable(pod)) continue
    const untilMs = Math.min(movedAtMs, pod.createdAtMs) + moveAgainAfterMs
    if (untilMs > snapshot.nowMs) return { _tag: 'RecentlyMoved', pod: podKey(pod), untilMs }
  }
  return undefined
}

/** An empty node that stays. */
export interface BoughtAgain {
  readonly one: CandidateState
  readonly reason: BlockedReason
  readonly forgone?: ForgoneSaving
}

/**
 * Of nodes whose pods nobody minds moving, those whose pods would only bring the node back.
 *
 * They are taken in order, each with those before it that can go; nodes without any pod to move need no look.
 */
export function* boughtAgain(taken: ReadonlyArray<CandidateState>, pass: Pass): Steps<ReadonlyArray<BoughtAgain>> {
  const hasPods = ({ state }: CandidateState) => state.pods.some(Pods.isReschedulable)
  if (!pass.avoidsChurn || !taken.some(hasPods)) return []
  const going = taken.filter((one) => !hasPods(one)).map(({ state }) => state.name)
  const staying: Array<BoughtAgain> = []
  for (const one of taken.filter(hasPods)) {
    const simulation = yield* pass.without([...going, one.state.name], { keepsRestingNodes: false })
    if (simulation === undefined) {
      staying.push({ one, reason: { _tag: 'NoNodePools' } })
      continue
    }
    const { launches, homeless } = simulation
    if (launches.length === 0 && homeless.length === 0) {
      going.push(one.state.name)
      continue
    }
    const pod = homeless[0]?.pod ?? one.state.pods.find(Pods.isReschedulable)
    const bought = launches.reduce((sum, { offer }) => sum + offer.pricePerHour, 0)
    const savingsPerHour = one.candidate.pricePerHour - (Number.isFinite(bought) ? bought : 0)
    staying.push({
      one,
      reason: { _tag: 'WouldBeBoughtAgain', pod: pod === undefined ? '' : podKey(pod) },
      ...(savingsPerHour > 0
        ? { forgone: { nodes: [one.state.name], savingsPerHour, rule: 'WouldBeBoughtAgain' } as const }
        : {}),
    })
  }
  return staying
}
