import {
  nodePricePerHour,
  rescheduleCost,
  startEvacuation,
  type ClaimState,
  type DisruptionCommand,
  type Pod,
  type StateNode,
} from '@scantling/core'
import type { RunningCommand } from '../../state/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { passOptions, stepThrough, takeSnapshot } from './planning.ts'
import { startCommand } from './queue.ts'

/** Why a node is emptied that nobody chose to consolidate, and how. */
export interface EvacuationCause extends Pick<RunningCommand, 'reason' | 'countedAs' | 'otherwise' | 'goAtMs'> {}

export type Evacuated =
  | { readonly _tag: 'Started' }
  /** Pods without a sure place keep the node, unless it is lost in any case. */
  | { readonly _tag: 'Homeless'; readonly pods: ReadonlyArray<Pod> }
  /** It cannot be planned for, or is part of another disruption already. */
  | { readonly _tag: 'Refused' }

/**
 * Launches what the pods of a node need, and sends the node away when that is up.
 *
 * Like a command of the disruption loop, but for one node that goes for a reason of its own: no budget is asked.
 */
export const evacuate = async (
  context: ReconcilerContext,
  claim: ClaimState,
  cause: EvacuationCause,
): Promise<Evacuated> => {
  if (context.commands.of(claim.name) !== undefined) return { _tag: 'Refused' }
  const snapshot = await takeSnapshot(context)
  const state = snapshot?.nodes.find((node) => node.claim?.name === claim.name)
  if (snapshot === undefined || state === undefined) return { _tag: 'Refused' }
  const limits = cause.otherwise === 'go' ? 'after' : 'during'
  const found = await stepThrough(context, startEvacuation(snapshot, state.name, { ...passOptions(context), limits }))
  if (found === undefined) return { _tag: 'Refused' }
  if (found.homeless.length > 0 && cause.otherwise === 'stay') return { _tag: 'Homeless', pods: found.homeless }
  const types = snapshot.instanceTypes.get(claim.labels['karpenter.sh/nodepool'] ?? '') ?? []
  const command: DisruptionCommand = {
    // What the machine is replaced for is in the cause; the API knows three reasons only.
    reason: 'Drifted',
    candidates: [candidateOf(state, claim, nodePricePerHour(state, types))],
    replacements: found.replacements,
    savingsPerHour:
      nodePricePerHour(state, types) - found.replacements.reduce((sum, { pricePerHour = 0 }) => sum + pricePerHour, 0),
  }
  const isStarted = await startCommand(context, { ...cause, command, consolidationType: '' })
  return { _tag: isStarted ? 'Started' : 'Refused' }
}

const candidateOf = (state: StateNode, claim: ClaimState, pricePerHour: number) => ({
  node: state.name,
  claim: claim.name,
  nodePool: claim.labels['karpenter.sh/nodepool'] ?? '',
  pricePerHour,
  rescheduleCost: rescheduleCost(state.pods),
})
