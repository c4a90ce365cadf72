import * as E from 'fp-ts/lib/Either.js'
import {
  startValidation,
  type DisruptionCommand,
  type DisruptionMethod,
  type DisruptionPlan,
  type Snapshot,
  type ValidationFailure,
} from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { tellRejected } from './announcements.ts'
import { consolidationTypes, passOptions, stepThrough, takeSnapshot } from './planning.ts'

/** What of a plan still holds, and the snapshot that says so. */
export interface Confirmed {
  readonly commands: ReadonlyArray<DisruptionCommand>
  readonly snapshot: Snapshot
}

/** Looks again at what was proposed a while ago. `undefined` at shutdown. D-VALID-02…06. */
export const validate = async (
  context: ReconcilerContext,
  method: DisruptionMethod,
  proposed: DisruptionPlan['commands'],
  alsoProposed: ReadonlyArray<string>,
): Promise<Confirmed | undefined> => {
  const snapshot = await takeSnapshot(context)
  if (snapshot === undefined) return undefined
  const commands: Array<DisruptionCommand> = []
  for (const command of proposed) {
    // What is confirmed already counts, so that together they stay within the budgets.
    const options = passOptions(context)
    const going = commands.flatMap(({ candidates }) => candidates.map(({ node }) => node))
    const inFlight = new Set([...(options.inFlight ?? []), ...alsoProposed, ...going])
    const verdict = await stepThrough(context, startValidation(snapshot, command, { ...options, inFlight }))
    if (verdict === undefined) return undefined
    if (E.isRight(verdict)) commands.push(verdict.right)
    count(context, method, command, verdict)
  }
  return { commands, snapshot }
}

// For empty nodes, those that are left go all the same, and only the others count (D-EMPTY-04, D-VALID-05).
const count = (
  context: ReconcilerContext,
  method: DisruptionMethod,
  command: DisruptionCommand,
  verdict: E.Either<ValidationFailure, DisruptionCommand>,
): void => {
  const { metrics, log } = context
  const dropped = command.candidates.length - (E.isRight(verdict) ? verdict.right.candidates.length : 0)
  if (dropped === 0) return
  const kind = E.isLeft(verdict) ? verdict.left.kind : 'churn'
  log.debug('A disruption no longer holds', { Nodes: command.candidates.map(({ node }) => node), reason: kind })
  // A simulation that fails is no failed validation to the reference (D-VALID-05).
  if (kind !== 'scheduling')
    metrics.add(families.disruptionFailedValidations, { consolidation_type: consolidationTypes[method] }, dropped)
  // Empty nodes come and go; nobody needs to hear of each (D-EMPTY-05).
  if (E.isLeft(verdict) && method !== 'emptiness') tellRejected(context, command, verdict.left)
}
