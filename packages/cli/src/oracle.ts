/**
 * `npm run oracle -- --seed N --count M --family F`: our decisions beside the reference's own, on fresh scenarios.
 *
 * Prints how each family fared and, for the first difference, the smallest scenario that still shows it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareProvision, type Difference } from '@scantling/core'
import { findOracle, type Oracle } from './oracle/oracle-binary.ts'
import { shrink, type ShrinkableScenario } from './oracle/shrink.ts'
import { answerScenario } from './plan/scenario-answer.ts'
import { catalogsIn, readVectors, type Vector } from './plan/scenario-files.ts'
import { fileURLToPath } from 'node:url'

const provisioningFamilies = [
  'requirements',
  'resources',
  'taints',
  'capacity',
  'topology',
  'existing',
  'volumes',
  'priority',
  'mixed',
]
// Enough runs of the reference for most of its own ties to show.
const defaultRuns = 10
// A difference that one more look at the reference's ties explains is none.
const closerRuns = 200
const catalogOf = catalogsIn(fileURLToPath(new URL('../../../vectors/catalogs', import.meta.url)))

const differencesOf = ({ scenario, expected }: Vector): ReadonlyArray<Difference> => {
  const { outputs, failure } = answerScenario(scenario, { strategy: 'reference', catalogOf })
  const [output] = outputs
  return output === undefined
    ? [{ projection: 'failure', expected: 'an answer', actual: failure ?? 'none' }]
    : compareProvision(expected, output)
}

const askOracle = (
  oracle: Oracle,
  scenarios: ReadonlyArray<object>,
  folder: string,
  runs: number,
): ReadonlyArray<Vector> => {
  const file = join(folder, 'candidates.jsonl')
  writeFileSync(file, scenarios.map((scenario) => JSON.stringify(scenario)).join('\n'))
  const lines = oracle
    .run(['provision', '--runs', String(runs), file])
    .trim()
    .split('\n')
  return lines.map((line, index) => ({ scenario: scenarios[index], expected: JSON.parse(line) }) as Vector)
}

const shrinkVector = (oracle: Oracle, vector: Vector, folder: string): Vector => {
  const differs = (candidates: ReadonlyArray<ShrinkableScenario>) => {
    const index = askOracle(oracle, candidates, folder, closerRuns / 10).findIndex(
      (one) => one.expected.failure === undefined && differencesOf(one).length > 0,
    )
    return index < 0 ? undefined : index
  }
  const smallest = shrink(vector.scenario as unknown as ShrinkableScenario, differs)
  const [answered] = askOracle(oracle, [smallest], folder, closerRuns)
  return answered ?? vector
}

const main = (): void => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1000' },
      count: { type: 'string', default: '100' },
      family: { type: 'string', multiple: true, default: [] },
      runs: { type: 'string', default: String(defaultRuns) },
    },
  })
  const oracle = findOracle((line) => console.log(line))
  if (typeof oracle === 'string') {
    console.log(`Skipped: ${oracle}`)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'scantling-oracle-'))
  try {
    compareFamilies(oracle, folder, values)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const compareFamilies = (
  oracle: Oracle,
  folder: string,
  {
    seed,
    count,
    family: chosen,
    runs,
  }: { readonly seed: string; readonly count: string; readonly family: ReadonlyArray<string>; readonly runs: string },
): void => {
  let passed = 0
  let failed = 0
  for (const family of chosen.length > 0 ? chosen : provisioningFamilies) {
    oracle.run([
      'vectors',
      '--seed',
      seed,
      '--count',
      count,
      '--family',
      family,
      '--out',
      folder,
      '--jsonl',
      '--runs',
      runs,
    ])
    const vectors = readVectors(folder, family).filter(
      ({ scenario, expected }) => scenario.kind === 'provision' && expected.failure === undefined,
    )
    const suspects = vectors.filter((vector) => differencesOf(vector).length > 0)
    const confirmed =
      suspects.length === 0
        ? []
        : askOracle(
            oracle,
            suspects.map(({ scenario }) => scenario),
            folder,
            closerRuns,
          ).filter((vector) => differencesOf(vector).length > 0)
    console.log(`${family.padEnd(14)} ${vectors.length - confirmed.length}/${vectors.length} agree`)
    passed += vectors.length - confirmed.length
    failed += confirmed.length
    const [first] = confirmed
    if (first !== undefined)
      report(
        shrinkVector(oracle, first, folder),
        confirmed.map(({ scenario }) => scenario.name),
      )
  }
  console.log(`${passed} passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

const report = (vector: Vector, names: ReadonlyArray<string>): void => {
  console.log(`  differ: ${names.join(', ')}; the first, made as small as it goes:`)
  for (const { projection, expected, actual } of differencesOf(vector))
    console.log(`    ${projection}\n      reference  ${expected}\n      ours       ${actual}`)
  console.log(JSON.stringify(vector.scenario))
}

main()
