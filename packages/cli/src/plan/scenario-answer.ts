import {
  disruptionByMethod,
  disruptOutputOf,
  planProvisioning,
  provisionOutputOf,
  readScenario,
  renderReasons,
  type DisruptOutput,
  type ProvisionOutput,
  type Scenario,
  type ScenarioCatalog,
  type Strategy,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

/** One answer in the interchange form. */
export interface ScenarioResult<Output = ProvisionOutput> {
  readonly version: 1
  readonly name: string
  readonly kind: 'provision' | 'disrupt'
  readonly nondeterministic: false
  readonly runs: number
  readonly outputs: ReadonlyArray<Output>
  /** Pods that had a soft constraint relaxed. */
  readonly relaxed?: ReadonlyArray<string>
  /** Set: the scenario could not be answered, and why. */
  readonly failure?: string
}

export interface AnswerOptions {
  readonly strategy: Strategy
  readonly catalogOf: (name: string) => ScenarioCatalog | undefined
}

/** Answers one scenario; what is wrong with it goes into `failure`, so that one in many does not stop the rest. */
export const answerScenario = (json: unknown, options: AnswerOptions): ScenarioResult<ProvisionOutput> =>
  answered(json, 'provision', options, provision)

/** What every method of disruption would do with the cluster of a scenario. */
export const answerDisruption = (json: unknown, options: AnswerOptions): ScenarioResult<DisruptOutput> =>
  answered(json, 'disrupt', options, ({ snapshot }, strategy) => ({
    outputs: [disruptOutputOf(disruptionByMethod(snapshot, { strategy }), snapshot)],
  }))

/** Answers a scenario as its kind asks. */
export const answerAsAsked = (
  json: unknown,
  options: AnswerOptions,
): ScenarioResult<ProvisionOutput | DisruptOutput> =>
  kindOf(json) === 'disrupt' ? answerDisruption(json, options) : answerScenario(json, options)

const answered = <Output>(
  json: unknown,
  kind: ScenarioResult['kind'],
  { strategy, catalogOf }: AnswerOptions,
  answer: (scenario: Scenario, strategy: Strategy) => Pick<ScenarioResult<Output>, 'outputs' | 'relaxed'>,
): ScenarioResult<Output> => {
  const unanswered = { version: 1, name: nameOf(json), kind, nondeterministic: false, runs: 0, outputs: [] } as const
  const read = readScenario(json, catalogOf)
  if (E.isLeft(read)) return { ...unanswered, failure: read.left.join('; ') }
  const { name } = read.right
  return { version: 1, name, kind, nondeterministic: false, runs: 1, ...answer(read.right, strategy) }
}

const provision = ({ snapshot }: Scenario, strategy: Strategy) => {
  const plan = planProvisioning(snapshot, { strategy, reservedOfferings: 'strict' })
  const { relaxedPods } = plan.stats
  return {
    outputs: [provisionOutputOf(plan, renderReasons)],
    ...(relaxedPods.length === 0 ? {} : { relaxed: [...relaxedPods].sort() }),
  }
}

const kindOf = (json: unknown): unknown => ((json ?? {}) as { readonly kind?: unknown }).kind

const nameOf = (json: unknown): string => {
  const { name } = (json ?? {}) as { readonly name?: unknown }
  return typeof name === 'string' ? name : ''
}
