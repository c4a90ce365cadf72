/**
 * `npm run oracle -- --seed N --count M --family F`: our decisions beside the reference's own, on fresh scenarios.
 *
 * Prints how each family fared and, for the first difference, the smallest scenario that still shows it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findOracle, type Oracle } from './oracle/oracle-binary.ts'
import { shrink, type ShrinkableScenario } from './oracle/shrink.ts'
import { differencesOf as differencesFrom } from './plan/compare-vector.ts'
import { catalogsIn, readVectors, type Vector } from './plan/scenario-files.ts'
import { fileURLToPath } from 'node:url'

const families = [
  'requirements',
  'resources',
  'taints',
  'capacity',
  'topology',
  'existing',
  'volumes',
  'priority',
  'consolidation',
  'mixed',
]
// Enough runs of the reference for most of its own ties to show.
const defaultRuns = 10
// A difference that one more look at the reference's ties explains is none.
const closerRuns = 200
const catalogOf = catalogsIn(fileURLToPath(new URL('../../../vectors/catalogs', import.meta.url)))

const differencesOf = (vector: Vector) => differencesFrom(vector, catalogOf)

// The reference answers each kind of question by a command of its own.
const askOracle = (
  oracle: Oracle,
  scenarios: ReadonlyArray<Vector['scenario']>,
  folder: string,
  runs: number,
): ReadonlyArray<Vector> =>
  (['provision', 'disrupt'] as const).flatMap((kind) => {
    const asked = scenarios.filter((scenario) => scenario.kind === kind)
    if (asked.length === 0) return []
    const file = join(folder, 'candidates.jsonl')
    writeFileSync(file, asked.map((scenario) => JSON.stringify(scenario)).join('\n'))
    const lines = oracle
      .run([kind, '--runs', String(runs), file])
      .trim()
      .split('\n')
    return lines.map((line, index) => ({ scenario: asked[index], expected: JSON.parse(line) }) as Vector)
  })

const shrinkVector = (oracle: Oracle, vector: Vector, folder: string): Vector => {
  const differs = (candidates: ReadonlyArray<ShrinkableScenario>) => {
    const index = askOracle(oracle, candidates.map(asScenario), folder, closerRuns / 10).findIndex(
      (one) => one.expected.failure === undefined && differencesOf(one).length > 0,
    )
    return index < 0 ? undefined : index
  }
  const smallest = shrink(vector.scenario as unknown as ShrinkableScenario, differs)
  const [answered] = askOracle(oracle, [asScenario(smallest)], folder, closerRuns)
  return answered ?? vector
}

const asScenario = (scenario: ShrinkableScenario) => scenario as unknown as Vector['scenario']

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
  for (const family of chosen.length > 0 ? chosen : families) {
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
    const vectors = readVectors(folder, family).filter(({ expected }) => expected.failure === undefined)
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
