import {
  planProvisioning,
  provisionOutputOf,
  readScenario,
  renderReasons,
  type ProvisionOutput,
  type ScenarioCatalog,
  type Strategy,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

/** One answer in the interchange form. */
export interface ScenarioResult {
  readonly version: 1
  readonly name: string
  readonly kind: 'provision' | 'disrupt'
  readonly nondeterministic: false
  readonly runs: number
  readonly outputs: ReadonlyArray<ProvisionOutput>
  /** Pods that had a soft constraint relaxed. */
  readonly relaxed?: ReadonlyArray<string>
  /** Set: the scenario could not be answered, and why. */
  readonly failure?: string
}

export interface AnswerOptions {
  readonly strategy: Strategy
  readonly catalogOf: (name: string) => ScenarioCatalog | undefined
}

/** What is said where disruption is asked for. */
export const disruptionComesLater = 'Planning disruption is not built yet; it comes with the issue on disruption'

/** Answers one scenario; what is wrong with it goes into `failure`, so that one in many does not stop the rest. */
export const answerScenario = (json: unknown, { strategy, catalogOf }: AnswerOptions): ScenarioResult => {
  const read = readScenario(json, catalogOf)
  if (E.isLeft(read)) return failed({ name: nameOf(json), kind: 'provision' }, read.left.join('; '))
  const scenario = read.right
  if (scenario.kind === 'disrupt') return failed(scenario, disruptionComesLater)
  const plan = planProvisioning(scenario.snapshot, { strategy, reservedOfferings: 'strict' })
  const { relaxedPods } = plan.stats
  return {
    version: 1,
    name: scenario.name,
    kind: scenario.kind,
    nondeterministic: false,
    runs: 1,
    outputs: [provisionOutputOf(plan, renderReasons)],
    ...(relaxedPods.length === 0 ? {} : { relaxed: [...relaxedPods].sort() }),
  }
}

const failed = (scenario: Pick<ScenarioResult, 'name' | 'kind'>, failure: string): ScenarioResult => ({
  version: 1,
  name: scenario.name,
  kind: scenario.kind,
  nondeterministic: false,
  runs: 0,
  outputs: [],
  failure,
})

const nameOf = (json: unknown): string => {
  const { name } = (json ?? {}) as { readonly name?: unknown }
  return typeof name === 'string' ? name : ''
}
