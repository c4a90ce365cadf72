import { Conditions, type ClaimState, type ConditionChange } from '../cluster/index.ts'
import { annotationKeys, labelKeys, terminationFinalizer } from '../labels/index.ts'
import type { ClaimAction, ClaimInput, ClaimStep } from './claim-actions.ts'
import { initialize } from './initialization.ts'
import { register } from './registration.ts'

/** A claim that is not launched this long after its creation is given up (L-LIVE-02). */
export const launchTimeoutMs = 5 * 60_000
/** A machine that has not joined this long after its launch is given up (L-LIVE-03). */
export const registrationTimeoutMs = 15 * 60_000
/** Conditions of which a claim's Ready is the sum (P-NCA-03). */
export const claimDependents = ['Launched', 'Registered', 'Initialized'] as const

/**
 * The next step in the life of a NodeClaim: launch, registration, initialization, and the way out.
 *
 * Level-triggered: the step follows from the state alone, so a controller that dies between two effects goes on where
 * it was. At most one effect that another reads comes back at a time.
 *
 * @example
 * import { nodeClaimObject } from '@scantling/core/testing'
 * const claim = ingestNodeClaim(nodeClaimObject('general-1', 'general'))
 * stepClaim({ nowMs: claim.createdAtMs, claim, nodes: [], pendingHooks: [] }).actions // => [{ _tag: 'Launch' }]
 */
export const stepClaim = (input: ClaimInput): ClaimStep =>
  input.claim.deletionTimestampMs === undefined ? grow(input) : finalize(input)

const grow = (input: ClaimInput): ClaimStep => {
  const step = nextStage(input)
  const stale = staleVerdicts(input.claim)
  const [first, ...others] = step.actions
  if (stale.length === 0) return step
  if (first === undefined) return { ...step, actions: [{ _tag: 'SetConditions', changes: stale }] }
  // What is done to the claim itself is written anew in any case.
  return first._tag === 'SetConditions' && others.length === 0
    ? { ...step, actions: [{ ...first, changes: [...stale, ...first.changes] }] }
    : step
}

// A verdict stands; that it holds for the claim as it is now has to be said, or Ready would not count it (L-CTRL-07).
const staleVerdicts = ({ conditions, generation }: ClaimState): ReadonlyArray<ConditionChange> =>
  claimDependents.flatMap((type) => {
    const known = Conditions.find(conditions, type)
    if (known === undefined || known.status === 'Unknown' || known.observedGeneration === generation) return []
    const { status, reason, message } = known
    return [{ type, status, reason, message }]
  })

const nextStage = (input: ClaimInput): ClaimStep => {
  const { claim, nodes, nowMs } = input
  // Without the finalizer a launched machine could lose its claim, and nobody would end it (L-CTRL-03).
  if (!claim.finalizers.includes(terminationFinalizer)) return { actions: [{ _tag: 'AddFinalizer' }] }
  if (Conditions.isUnknown(claim.conditions, 'Launched')) {
    const tried = Conditions.find(claim.conditions, 'Launched')
    // Old, but never tried: who made it may have another clock than we.
    return tried !== undefined && nowMs - tried.lastTransitionAtMs >= launchTimeoutMs
      ? { actions: [{ _tag: 'DeleteClaim', reason: 'launch_timeout' }] }
      : { actions: [{ _tag: 'Launch' }] }
  }
  if (!Conditions.isTrue(claim.conditions, 'Launched')) return { actions: [] }
  if (Conditions.isUnknown(claim.conditions, 'Registered')) return withLiveness(input, register(input))
  if (Conditions.isTrue(claim.conditions, 'Registered') && Conditions.isUnknown(claim.conditions, 'Initialized'))
    return initialize(claim, nodes)
  return { actions: [] }
}

const withLiveness = ({ claim, nodes, nowMs }: ClaimInput, step: ClaimStep): ClaimStep => {
  if (nodes.length > 0) return step
  // Registered counts from the creation by the API server's clock; by ours, the machine is no older than its launch.
  const [launched, registered] = ['Launched', 'Registered'].map(
    (type) => Conditions.find(claim.conditions, type)?.lastTransitionAtMs ?? claim.createdAtMs,
  )
  const sinceMs = Math.max(launched ?? 0, registered ?? 0)
  const leftMs = sinceMs + registrationTimeoutMs - nowMs
  return leftMs <= 0
    ? { actions: [{ _tag: 'DeleteClaim', reason: 'registration_timeout' }] }
    : { ...step, requeueAfterMs: Math.min(step.requeueAfterMs ?? leftMs, leftMs) }
}

const finalize = ({ claim, nodes, nowMs }: ClaimInput): ClaimStep => {
  if (!claim.finalizers.includes(terminationFinalizer)) return { actions: [] }
  const actions: Array<ClaimAction> = []
  const { terminationGracePeriodMs: graceMs, deletionTimestampMs = nowMs } = claim
  if (graceMs !== undefined && !Object.hasOwn(claim.annotations, annotationKeys.terminationTimestamp))
    actions.push({ _tag: 'StampTerminationTime', atMs: deletionTimestampMs + graceMs })
  // An unregistered Node may be anyone's; only what joined as ours is drained (L-FIN-02). It bears the mark before its
  // claim says so.
  const ours = Conditions.isTrue(claim.conditions, 'Registered')
    ? nodes
    : nodes.filter(({ labels }) => labels[labelKeys.registered] === 'true')
  if (ours.length > 0) {
    for (const node of ours)
      if (node.deletionTimestampMs === undefined) actions.push({ _tag: 'DeleteNode', node: node.name })
    return { actions }
  }
  actions.push(
    claim.providerId === undefined
      ? { _tag: 'RemoveFinalizer' }
      : { _tag: 'TerminateInstance', providerId: claim.providerId },
  )
  return { actions }
}
