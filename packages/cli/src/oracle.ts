/**
 * `npm run oracle -- --seed N --count M --family F`: our decisions beside the reference's own, on fresh scenarios.
 *
 * Prints how each family fared and, for the first difference, the smallest scenario that still shows it. With
 * `--size large` scenarios open so many nodes that the order in which the reference tries them is an accident of its
 * sort. There the answers that are not equal must be as good in sum: unplaced pods, nodes and cost.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findOracle, type Oracle } from './oracle/oracle-binary.ts'
import { isAsGood, qualityOf, type Quality } from './oracle/quality.ts'
import { shrink, type ShrinkableScenario } from './oracle/shrink.ts'
import { answerScenario } from './plan/scenario-answer.ts'
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
      size: { type: 'string', default: 'small' },
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
    size,
  }: {
    readonly seed: string
    readonly count: string
    readonly family: ReadonlyArray<string>
    readonly runs: string
    readonly size: string
  },
): void => {
  const isLarge = size === 'large'
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
      '--size',
      size,
    ])
    const vectors = readVectors(folder, family).filter(({ expected }) => expected.failure === undefined)
    const suspects = vectors.filter((vector) => differencesOf(vector).length > 0)
    if (isLarge && suspects.length > 0) {
      const holds = showQuality(family, vectors, suspects)
      passed += holds ? vectors.length : vectors.length - suspects.length
      failed += holds ? 0 : suspects.length
      continue
    }
    const confirmed = askOracle(
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

// Compares what differs in sum; says whether ours is as good.
const showQuality = (family: string, vectors: ReadonlyArray<Vector>, suspects: ReadonlyArray<Vector>): boolean => {
  const provisioned = suspects.filter(({ scenario }) => scenario.kind === 'provision')
  const ours = provisioned.flatMap(({ scenario }) =>
    answerScenario(scenario, { strategy: 'reference', catalogOf }).outputs.slice(0, 1),
  )
  const [our, their] = [qualityOf(ours), qualityOf(provisioned.flatMap(({ expected }) => expected.outputs.slice(0, 1)))]
  const text = ({ unplaced, nodes, pricePerHour }: Quality) =>
    `${unplaced} unplaced, ${nodes} nodes, ${pricePerHour.toFixed(2)}/h`
  console.log(`${family.padEnd(14)} ${vectors.length - suspects.length}/${vectors.length} equal`)
  console.log(`  the other ${suspects.length}: ours ${text(our)}; reference ${text(their)}`)
  return provisioned.length === suspects.length && isAsGood(our, their)
}

const report = (vector: Vector, names: ReadonlyArray<string>): void => {
  console.log(`  differ: ${names.join(', ')}; the first, made as small as it goes:`)
  for (const { projection, expected, actual } of differencesOf(vector))
    console.log(`    ${projection}\n      reference  ${expected}\n      ours       ${actual}`)
  console.log(JSON.stringify(vector.scenario))
}

main()
