import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { compareProvision, type ProvisionOutput, type ScenarioCatalog, type Strategy } from '@scantling/core'

import { answerScenario } from './plan/scenario-answer.ts'
import type { Vector } from './plan/scenario-files.ts'

/** A scenario in which `first-fit` departs from the reference on purpose. */
export interface DifferenceVector extends Vector {
  /** File name without its ending; docs/differences-from-karpenter.md names it. */
  readonly name: string
  /** Our own answer, and in a sentence why it is another. */
  readonly firstFit: { readonly why: string; readonly output: ProvisionOutput }
}

/** The vectors of a directory of `NAME.json`, by name. */
export const readDifferences = (directory: string): ReadonlyArray<DifferenceVector> =>
  readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({
      ...(JSON.parse(readFileSync(join(directory, file), 'utf8')) as Omit<DifferenceVector, 'name'>),
      name: file.slice(0, -'.json'.length),
    }))

/**
 * What does not hold of a vector; empty: `reference` answers as the reference, `first-fit` as the vector says, and the
 * two differ.
 *
 * Where the reference answers by chance, `first-fit` may give one of its answers; that it differs from `reference` is
 * what shows that the chance is gone.
 */
export const checkDifference = (
  { scenario, expected, firstFit }: DifferenceVector,
  catalogOf: (name: string) => ScenarioCatalog | undefined,
): ReadonlyArray<string> => {
  const answer = (strategy: Strategy): ProvisionOutput | string => {
    const { outputs, failure } = answerScenario(scenario, { strategy, catalogOf })
    return outputs[0] ?? failure ?? 'No answer'
  }
  const reference = answer('reference')
  const ours = answer('first-fit')
  if (typeof reference === 'string') return [reference]
  if (typeof ours === 'string') return [ours]
  const departures = [
    ...describe('reference departs from the reference', compareProvision(expected, reference)),
    ...describe(
      'first-fit departs from its answer in the vector',
      compareProvision({ outputs: [firstFit.output] }, ours),
    ),
  ]
  const isSame = compareProvision({ outputs: [reference] }, ours).length === 0
  return isSame ? [...departures, 'reference and first-fit answer the same'] : departures
}

const describe = (what: string, differences: ReturnType<typeof compareProvision>): ReadonlyArray<string> =>
  differences.map(({ projection, expected, actual }) => `${what} in ${projection}: expected ${expected}, got ${actual}`)
