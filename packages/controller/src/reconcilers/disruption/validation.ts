import type { DisruptionCommand, DisruptionMethod, DisruptionPlan, Snapshot } from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { consolidationTypes, planOf, takeSnapshot } from './planning.ts'

// A decision is carried out only if it still holds after this long (D-VALID-01).
const waitMs = 15_000

/** What of a plan still holds, and the snapshot that says so. */
export interface Confirmed {
  readonly commands: ReadonlyArray<DisruptionCommand>
  readonly snapshot: Snapshot
}

/** Lets a while pass, and looks again. `undefined` at shutdown. D-VALID-01…03. */
export const validate = async (
  context: ReconcilerContext,
  method: DisruptionMethod,
  proposed: DisruptionPlan['commands'],
): Promise<Confirmed | undefined> => {
  const { clock, shutdown, metrics, log } = context
  await clock.sleep(waitMs, shutdown).catch(() => undefined)
  const snapshot = await takeSnapshot(context)
  if (snapshot === undefined) return undefined
  const again = await planOf(context, snapshot, [method])
  if (again === undefined) return undefined
  const commands: Array<DisruptionCommand> = []
  for (const command of proposed) {
    const held = stillHolds(command, again.commands)
    if (held !== undefined) commands.push(held)
    const dropped = command.candidates.length - (held?.candidates.length ?? 0)
    if (dropped > 0) {
      metrics.add(families.disruptionFailedValidations, { consolidation_type: consolidationTypes[method] }, dropped)
      log.debug('A disruption no longer holds', { Nodes: command.candidates.map(({ node }) => node) })
    }
  }
  return { commands, snapshot }
}

const stillHolds = (
  command: DisruptionCommand,
  again: ReadonlyArray<DisruptionCommand>,
): DisruptionCommand | undefined => {
  const named = new Set(command.candidates.map(({ claim }) => claim))
  if (command.reason === 'Empty') {
    const left = new Set(again.flatMap(({ candidates }) => candidates.map(({ claim }) => claim)))
    const [first, ...rest] = command.candidates.filter(({ claim }) => left.has(claim))
    return first === undefined ? undefined : { ...command, candidates: [first, ...rest] }
  }
  const same = again.find(
    ({ candidates }) => candidates.length === named.size && candidates.every(({ claim }) => named.has(claim)),
  )
  if (same === undefined || same.replacements.length !== command.replacements.length) return undefined
  const offered = new Set(same.replacements.flatMap(({ instanceTypes = [] }) => instanceTypes.map(({ name }) => name)))
  const isCovered = command.replacements.every(({ instanceTypes = [] }) =>
    instanceTypes.every(({ name }) => offered.has(name)),
  )
  return isCovered ? command : undefined
}
