import type { Snapshot } from '../cluster/index.ts'
import {
  lifetimeCost,
  type CandidateState,
  type DisruptionCommand,
  type MethodOutcome,
  type Replacement,
} from '../disruption/index.ts'
import { compareText } from '../internal/index.ts'
import { labelKeys } from '../labels/index.ts'
import type { Requirements } from '../requirements/index.ts'
import { podNames, requirementsOutput, roundPrice, type RequirementOutput } from './normal-form.ts'
import { stableJson } from './stable-json.ts'

/** Plans of disruption in the form in which they are compared: every method by itself. */
export interface DisruptOutput {
  /** The method that would act; empty where none would. */
  readonly selected: string
  readonly methods: ReadonlyArray<MethodOutput>
}

export interface MethodOutput {
  readonly method: string
  readonly reason: string
  /** `none`, or that of its commands. */
  readonly decision: string
  /** Disruptions left by NodePool; present where there are candidates. */
  readonly budgets?: Readonly<Record<string, number>>
  readonly candidates: ReadonlyArray<CandidateOutput>
  readonly commands: ReadonlyArray<CommandOutput>
}

export interface CandidateOutput {
  readonly node: string
  readonly nodePool: string
  readonly price: number
  readonly disruptionCost: number
  readonly rescheduleDisruptionCost: number
  readonly savingsRatio: number
}

export interface CommandOutput {
  readonly decision: string
  readonly reason?: string
  readonly candidates: ReadonlyArray<string>
  readonly replacements: ReadonlyArray<ReplacementOutput>
  readonly savings: number
}

export interface ReplacementOutput {
  readonly nodePool: string
  readonly instanceTypes: ReadonlyArray<string>
  readonly capacityTypes?: ReadonlyArray<string>
  readonly requirements: ReadonlyArray<RequirementOutput> | null
  readonly pods?: ReadonlyArray<string>
  readonly price?: number
}

/** Budgets that do not bind, as the reference writes them. */
const unlimited = 2 ** 31 - 1

/**
 * The outcomes of all methods in normal form.
 *
 * @example
 * import { snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({})
 * disruptOutputOf(disruptionByMethod(snapshot, { strategy: 'reference' }), snapshot).selected // => ''
 */
export const disruptOutputOf = (outcomes: ReadonlyArray<MethodOutcome>, snapshot: Snapshot): DisruptOutput => ({
  selected: outcomes.find(({ commands }) => commands.length > 0)?.method ?? '',
  methods: outcomes.map((outcome) => methodOutput(outcome, snapshot)),
})

const methodOutput = (outcome: MethodOutcome, snapshot: Snapshot): MethodOutput => {
  const { method, reason, candidates, allowances } = outcome
  const commands = sortedByJson(outcome.commands.map(commandOutput))
  const budgets = [...allowances]
    .map(([nodePool, { left, consumed }]) => [nodePool, Number.isFinite(left) ? left : unlimited - consumed] as const)
    .sort(([left], [right]) => compareText(left, right))
  return {
    method,
    reason,
    decision: commands[0]?.decision ?? 'none',
    ...(candidates.length === 0 ? {} : { budgets: Object.fromEntries(budgets) }),
    candidates: candidates
      .map((one) => candidateOutput(one, snapshot))
      .sort((left, right) => compareText(left.node, right.node)),
    commands,
  }
}

const candidateOutput = ({ state, candidate }: CandidateState, snapshot: Snapshot): CandidateOutput => {
  const { node, nodePool, pricePerHour, rescheduleCost } = candidate
  return {
    node,
    nodePool,
    price: roundPrice(pricePerHour),
    disruptionCost: roundPrice(lifetimeCost(state, snapshot.nowMs, snapshot.settings.featureGates)),
    rescheduleDisruptionCost: roundPrice(rescheduleCost),
    savingsRatio: roundPrice(pricePerHour / rescheduleCost),
  }
}

const commandOutput = (command: DisruptionCommand): CommandOutput => {
  const { candidates, replacements, savingsPerHour, terminateFirst } = command
  return {
    decision: terminateFirst !== undefined ? 'terminate-first' : replacements.length > 0 ? 'replace' : 'delete',
    ...(terminateFirst === undefined ? {} : { reason: terminateFirst }),
    candidates: candidates.map(({ node }) => node).sort(compareText),
    replacements: sortedByJson(replacements.map(replacementOutput)),
    savings: roundPrice(savingsPerHour),
  }
}

const replacementOutput = (replacement: Replacement): ReplacementOutput => {
  const { nodePool, requirements } = replacement
  const common = { nodePool, requirements: requirementsOutput(requirements), ...capacityTypesOutput(requirements) }
  if (replacement.instanceTypes === undefined) return { ...common, instanceTypes: [] }
  const { instanceTypes, pods, pricePerHour } = replacement
  return {
    ...common,
    instanceTypes: instanceTypes.map(({ name }) => name),
    pods: podNames(pods),
    ...(pricePerHour === undefined ? {} : { price: roundPrice(pricePerHour) }),
  }
}

const capacityTypesOutput = (requirements: Requirements): Pick<ReplacementOutput, 'capacityTypes'> => {
  const stated = requirementsOutput(requirements).find(
    ({ key, operator }) => key === labelKeys.capacityType && operator === 'In',
  )
  return stated?.values === undefined ? {} : { capacityTypes: stated.values }
}

const sortedByJson = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> =>
  values
    .map((value) => ({ value, text: stableJson(value) }))
    .sort((left, right) => compareText(left.text, right.text))
    .map(({ value }) => value)
