import { Conditions, Pods, type Snapshot } from '../cluster/index.ts'
import type { Offering } from '../instance/index.ts'
import { capacityTypes, labelKeys, Labels } from '../labels/index.ts'
import { compareNumber, compareText, type Steps } from '../internal/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { loadSimulatorInSteps, type Simulation } from '../scheduling/index.ts'
import type { CandidateState } from './candidate.ts'
import { whyHomeless } from './homeless.ts'
import { blockedNode, Spending, type MethodOutcome, type Pass } from './pass.ts'
import type { BlockedNode, BlockedReason, DisruptionCommand } from './plan.ts'

/**
 * The node that has been drifted longest of those whose pods find a place, whatever the replacement costs.
 * D-DRIFT-01…06.
 *
 * Nodes without a pod to move come before the rest. One node a pass; as many replacements as its pods need.
 */
export function* drift(pass: Pass): Steps<MethodOutcome> {
  const candidates = (yield* pass.sorted('eventual')).candidates.filter(
    ({ state, nodePool }) => nodePool.replicas === undefined && isDrifted(state.claim),
  )
  const allowances = pass.allowances('Drifted')
  const outcome = { method: 'drift', reason: 'Drifted', candidates, allowances } as const
  const spending = new Spending(allowances)
  const blocked: Array<BlockedNode> = []
  for (const one of [...candidates].sort(emptyThenOldest)) {
    const found = spending.refusal(one.nodePool.name) ?? (yield* commandFor(one, pass))
    if ('candidates' in found) return { ...outcome, commands: [found], blocked }
    if (found._tag === 'NoNodePools') return { ...outcome, commands: [], blocked: [blockedNode(one, found)] }
    blocked.push(blockedNode(one, found))
  }
  return { ...outcome, commands: [], blocked }
}

export const isDrifted = (claim: CandidateState['state']['claim']): boolean =>
  Conditions.isTrue(claim?.conditions ?? [], 'Drifted')

const driftedAtMs = ({ state }: CandidateState): number =>
  Conditions.find(state.claim?.conditions ?? [], 'Drifted')?.lastTransitionAtMs ?? 0

/** The longest drifted first; among equals by name (D-DRIFT-02). */
export const oldestDriftFirst = (a: CandidateState, b: CandidateState): number =>
  compareNumber(driftedAtMs(a), driftedAtMs(b)) || compareText(a.state.name, b.state.name)

// Counted by pods, not by what moving them costs (D-DRIFT-02).
const hasPodsToMove = ({ state }: CandidateState): boolean => state.pods.some(Pods.isReschedulable)

const emptyThenOldest = (a: CandidateState, b: CandidateState): number =>
  compareNumber(Number(hasPodsToMove(a)), Number(hasPodsToMove(b))) || oldestDriftFirst(a, b)

function* commandFor(one: CandidateState, pass: Pass): Steps<DisruptionCommand | BlockedReason> {
  const simulation = yield* pass.without([one.state.name], { keepsRestingNodes: false })
  if (simulation === undefined) return { _tag: 'NoNodePools' }
  const command = { reason: 'Drifted', candidates: [one.candidate] } as const
  if (simulation.homeless.length === 0) {
    const { pricePerHour } = one.candidate
    return {
      ...command,
      replacements: simulation.launches.map(({ launch, offer }) => launch(offer)),
      savingsPerHour: pricePerHour - newCost(simulation),
    }
  }
  // The slot that the node holds in a full reservation is then the only place for its pods.
  if (pass.snapshot.settings.featureGates.terminateFirstDrift && (yield* wouldFitFreedSlot(one, pass))) {
    return {
      ...command,
      replacements: [],
      savingsPerHour: one.candidate.pricePerHour,
      terminateFirst: 'no-reserved-capacity',
    }
  }
  return yield* whyHomeless([one], simulation, pass, { keepsRestingNodes: false })
}

const newCost = ({ launches }: Simulation): number =>
  launches.reduce((sum, { offer }) => sum + (Number.isFinite(offer.pricePerHour) ? offer.pricePerHour : 0), 0)

function* wouldFitFreedSlot({ state }: CandidateState, pass: Pass): Steps<boolean> {
  const labels = state.node?.labels ?? {}
  const id = reservationOf(labels, pass.snapshot)
  if (Labels.get(labels, labelKeys.capacityType) !== capacityTypes.reserved || id === undefined) return false
  const simulator = yield* loadSimulatorInSteps(withFreedSlot(pass.snapshot, id), {
    strategy: pass.strategy,
    keepsRestingNodes: false,
    reservedOfferings: 'strict',
  })
  return (yield* simulator.simulate([state.name])).homeless.length === 0
}

/** The reservation that a node's labels name. */
export const reservationOf = (labels: Labels, { labelRules }: Snapshot): string | undefined =>
  labelRules.reservation === undefined ? undefined : Labels.get(labels, labelRules.reservation.id) || undefined

/** The reservation that an offering draws on. */
export const reservationIdOf = ({ requirements }: Offering, { labelRules }: Snapshot): string | undefined =>
  labelRules.reservation === undefined
    ? undefined
    : Requirement.singleValue(Requirements.get(requirements, labelRules.reservation.id))

const withFreedSlot = (snapshot: Snapshot, id: string): Snapshot => ({
  ...snapshot,
  instanceTypes: new Map(
    [...snapshot.instanceTypes].map(([pool, types]) => [
      pool,
      types.map((type) => ({
        ...type,
        offerings: type.offerings.map((offering) =>
          offering.reservation !== undefined && reservationIdOf(offering, snapshot) === id
            ? { ...offering, reservation: { ...offering.reservation, remaining: offering.reservation.remaining + 1 } }
            : offering,
        ),
      })),
    ]),
  ),
})
