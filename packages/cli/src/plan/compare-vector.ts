import {
  compareDisrupt,
  compareProvision,
  type Difference,
  type DisruptOutput,
  type ExpectedDisrupt,
  type ProvisionOutput,
  type ScenarioCatalog,
} from '@scantling/core'

import { answerDisruption, answerScenario, type ScenarioResult } from './scenario-answer.ts'
import type { Vector } from './scenario-files.ts'

/** Where our answer under `reference` departs from a vector's; empty: it agrees. */
export const differencesOf = (
  { scenario, expected }: Vector,
  catalogOf: (name: string) => ScenarioCatalog | undefined,
): ReadonlyArray<Difference> => {
  const options = { strategy: 'reference', catalogOf } as const
  return scenario.kind === 'disrupt'
    ? compared<DisruptOutput>(answerDisruption(scenario, options), (output) =>
        compareDisrupt(expected as unknown as ExpectedDisrupt, output),
      )
    : compared<ProvisionOutput>(answerScenario(scenario, options), (output) => compareProvision(expected, output))
}

const compared = <Output>(
  { outputs, failure }: ScenarioResult<Output>,
  compare: (output: Output) => ReadonlyArray<Difference>,
): ReadonlyArray<Difference> => {
  const [output] = outputs
  return output === undefined
    ? [{ projection: 'failure', expected: 'an answer', actual: failure ?? 'none' }]
    : compare(output)
}
