import { StateNodes, type NodePool } from '../cluster/index.ts'
import { capacityTypes, labelKeys, Labels } from '../labels/index.ts'
import { Offerings } from '../instance/index.ts'
import { Requirements } from '../requirements/index.ts'
import type { Steps } from '../internal/index.ts'
import { Quantity } from '../quantity/index.ts'
import type { CandidateState } from './candidate.ts'
import { isDrifted, oldestDriftFirst, reservationIdOf, reservationOf } from './drift.ts'
import { blockedNode, type MethodOutcome, type Pass } from './pass.ts'
import type { BlockedNode, BlockedReason, DisruptionCommand, StaticReplacement, TerminateFirstReason } from './plan.ts'

/**
 * Drifted nodes of NodePools that keep a fixed number, each replaced by one more of its pool. D-SDRIFT-01…06.
 *
 * Every pool by itself: as many as its budgets and its limit on nodes allow, the longest drifted first. Where pods go
 * does not matter: the replacement is there before.
 */
export function* staticDrift(pass: Pass): Steps<MethodOutcome> {
  const candidates = (yield* pass.sorted('eventual')).candidates.filter(
    ({ state, nodePool }) => nodePool.replicas !== undefined && isDrifted(state.claim),
  )
  const allowances = pass.allowances('Drifted')
  const commands: Array<DisruptionCommand> = []
  const blocked: Array<BlockedNode> = []
  const byPool = new Map<string, Array<CandidateState>>()
  for (const one of [...candidates].sort(oldestDriftFirst)) {
    const pool = byPool.get(one.nodePool.name)
    if (pool === undefined) byPool.set(one.nodePool.name, [one])
    else pool.push(one)
  }
  for (const [name, drifted] of byPool) {
    const { allowed = 0, consumed = 0, left = 0 } = allowances.get(name) ?? {}
    const verdict = poolVerdict(drifted[0]!.nodePool, Math.min(left, drifted.length), pass)
    for (const [position, one] of verdict.order(drifted).entries()) {
      if (position >= left) blocked.push(blockedNode(one, { _tag: 'Budget', nodePool: name, allowed, consumed }))
      else {
        const found = verdict.commandFor(one, position)
        if ('_tag' in found) blocked.push(blockedNode(one, found))
        else commands.push(found)
      }
    }
  }
  return { method: 'static-drift', reason: 'Drifted', candidates, allowances, commands, blocked }
}

interface PoolVerdict {
  readonly order: (drifted: ReadonlyArray<CandidateState>) => ReadonlyArray<CandidateState>
  readonly commandFor: (one: CandidateState, position: number) => DisruptionCommand | BlockedReason
}

const asDrifted = (drifted: ReadonlyArray<CandidateState>) => drifted

const poolVerdict = (nodePool: NodePool, wanted: number, pass: Pass): PoolVerdict => {
  const { name, replicas = 0 } = nodePool
  const { running, total } = nodesOf(name, pass)
  if (running > replicas) {
    return { order: asDrifted, commandFor: () => ({ _tag: 'AboveReplicas', nodePool: name, nodes: running, replicas }) }
  }
  const { terminateFirstDrift } = pass.snapshot.settings.featureGates
  const refills = terminateFirstDrift && nodePool.isReady && !nodePool.isDeleting
  const full = terminateFirstDrift ? fullReservations(nodePool, pass) : undefined
  if (full !== undefined) {
    const holdsSlot = ({ state }: CandidateState) => {
      const labels = StateNodes.labelsOf(state)
      const isReserved = Labels.get(labels, labelKeys.capacityType) === capacityTypes.reserved
      return isReserved && full.has(reservationOf(labels, pass.snapshot) ?? '')
    }
    return {
      order: (drifted) => [...drifted.filter(holdsSlot), ...drifted.filter((one) => !holdsSlot(one))],
      commandFor: (one) =>
        refills && holdsSlot(one)
          ? goingFirst(one, 'no-reserved-capacity')
          : { _tag: 'ReservationsFull', nodePool: name },
    }
  }
  const limit = nodePool.limits?.['nodes']
  const room = limit === undefined ? Number.POSITIVE_INFINITY : Quantity.toNumber(limit) - total
  const granted = Math.max(0, Math.min(wanted, room))
  const atLimit: BlockedReason = { _tag: 'AtNodeLimit', nodePool: name }
  return {
    order: asDrifted,
    commandFor: (one, position) => {
      if (position < granted) return replacing(one, nodePool, pass)
      return granted === 0 && refills ? goingFirst(one, 'static-at-limit') : atLimit
    },
  }
}

const nodesOf = (nodePool: string, { snapshot }: Pass): { readonly running: number; readonly total: number } => {
  const claims = snapshot.nodes.flatMap(({ claim }) =>
    claim !== undefined && Labels.get(claim.labels, labelKeys.nodePool) === nodePool ? [claim] : [],
  )
  return {
    running: claims.filter(({ deletionTimestampMs }) => deletionTimestampMs === undefined).length,
    total: claims.length,
  }
}

const goingFirst = (one: CandidateState, terminateFirst: TerminateFirstReason): DisruptionCommand => ({
  reason: 'Drifted',
  candidates: [one.candidate],
  replacements: [],
  savingsPerHour: one.candidate.pricePerHour,
  terminateFirst,
})

const replacing = (one: CandidateState, nodePool: NodePool, pass: Pass): DisruptionCommand => {
  const replacement: StaticReplacement = { nodePool: nodePool.name, requirements: requirementsOf(nodePool, pass) }
  return {
    reason: 'Drifted',
    candidates: [one.candidate],
    replacements: [replacement],
    // The provider chooses the type, so what it will cost is not known yet.
    savingsPerHour: one.candidate.pricePerHour,
  }
}

const requirementsOf = (nodePool: NodePool, { snapshot }: Pass): Requirements => {
  const { knowledge } = snapshot.labelRules
  const labels = {
    ...nodePool.labels,
    [labelKeys.nodePool]: nodePool.name,
    [Labels.nodeClassLabelKey(nodePool.nodeClass)]: nodePool.nodeClass.name,
  }
  return Requirements.and(
    Requirements.fromSpecs(nodePool.requirements, knowledge),
    Requirements.fromLabels(labels, knowledge),
  )
}

/** The reservations that the pool's nodes can only be launched into, where all of them are full; else `undefined`. */
const fullReservations = (nodePool: NodePool, pass: Pass): ReadonlySet<string> | undefined => {
  const { labelRules, instanceTypes } = pass.snapshot
  const { wellKnown } = labelRules.knowledge
  const asked = requirementsOf(nodePool, pass)
  const full = new Set<string>()
  for (const type of instanceTypes.get(nodePool.name) ?? []) {
    if (!Requirements.isCompatible(asked, type.requirements, wellKnown)) continue
    for (const offering of type.offerings) {
      if (!Requirements.isCompatible(asked, offering.requirements, wellKnown)) continue
      // Where an unreserved offering would do, even one that is sold out, the pool waits for that.
      if (Offerings.capacityTypeOf(offering) !== capacityTypes.reserved) return undefined
      const isAvailable = offering.unavailable === undefined
      if (isAvailable && (offering.reservation?.remaining ?? 0) > 0) return undefined
      if (isAvailable) full.add(reservationIdOf(offering, pass.snapshot) ?? '')
    }
  }
  return full
}
