/**
 * `npm run bench:consolidation-cost -- --count 200 --seed 1`: what clusters cost after consolidation, beside the reference.
 *
 * Scenarios of 20 to 40 nodes of many types, in which the reference consolidates. With the rule against churn off, ours
 * may never cost more, and must cost less in a fifth of them; what the rule costs is printed case by case. Prices per
 * hour are those of the cheapest offering of the first type of each replacement, for both (D-COST-06).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import * as E from 'fp-ts/lib/Either.js'

import { findOracle, type Oracle } from '../packages/cli/src/oracle/oracle-binary.ts'
import { catalogsIn } from '../packages/cli/src/plan/scenario-files.ts'
import {
  nodePricePerHour,
  planDisruption,
  readScenario,
  type DisruptionPlan,
  type Snapshot,
} from '../packages/core/src/index.ts'
import { mixedFleet } from './mixed-fleet.ts'

const leastCheaperShare = 1 / 5
// Prices are compared as the reference rounds them.
const cent = 1e-5
const catalogs = catalogsIn(fileURLToPath(new URL('../vectors/catalogs', import.meta.url)))

interface Answer {
  readonly failure?: string
  readonly outputs?: ReadonlyArray<{
    readonly selected: string
    readonly methods: ReadonlyArray<{
      readonly method: string
      readonly commands: ReadonlyArray<{ readonly savings: number }>
    }>
  }>
}

const askReference = (oracle: Oracle, scenarios: ReadonlyArray<object>): ReadonlyArray<Answer> => {
  const folder = mkdtempSync(join(tmpdir(), 'scantling-cost-'))
  try {
    const file = join(folder, 'scenarios.jsonl')
    writeFileSync(file, scenarios.map((scenario) => JSON.stringify(scenario)).join('\n'))
    const lines = oracle.run(['disrupt', '--runs', '1', file]).trim().split('\n')
    return lines.map((line) => JSON.parse(line) as Answer)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const snapshotOf = (scenario: object): Snapshot => {
  const read = readScenario(scenario, catalogs)
  if (E.isLeft(read)) throw new Error(read.left.join('\n'))
  return read.right.snapshot
}

const priceOf = ({ nodes, instanceTypes }: Snapshot): number =>
  nodes.reduce((sum, state) => sum + nodePricePerHour(state, instanceTypes.get('default') ?? []), 0)
const savedBy = ({ commands }: DisruptionPlan): number =>
  commands.reduce((sum, { savingsPerHour }) => sum + savingsPerHour, 0)
const savedByAnswer = ({ selected, methods }: NonNullable<Answer['outputs']>[number]): number =>
  (methods.find(({ method }) => method === selected)?.commands ?? []).reduce((sum, { savings }) => sum + savings, 0)
const money = (perHour: number): string => perHour.toFixed(4)

const main = (): void => {
  const { values } = parseArgs({
    options: { count: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
  })
  const oracle = findOracle((line) => console.log(line))
  if (typeof oracle === 'string') return console.log(`Skipped: ${oracle}`)
  const wanted = Number(values.count)
  const sums = { before: 0, reference: 0, free: 0, bound: 0 }
  let [compared, cheaper, dearer, seed] = [0, 0, 0, Number(values.seed)]
  while (compared < wanted) {
    const scenarios = Array.from({ length: wanted - compared }, (_, index) => mixedFleet(seed + index))
    seed += scenarios.length
    for (const [index, answer] of askReference(oracle, scenarios).entries()) {
      const scenario = scenarios[index]!
      const { outputs = [] } = answer
      // Only what the reference consolidates is compared.
      if (outputs.length === 0 || outputs.some(({ selected }) => !selected.endsWith('consolidation'))) continue

      const snapshot = snapshotOf(scenario)
      const before = priceOf(snapshot)
      // It draws zones among equals: our own repetition is one more of the answers that it may give. Cheaper is what costs
      // less than either, dearer what costs more than both.
      const own = savedBy(planDisruption(snapshot, { strategy: 'reference' }))
      const saved = [...outputs.map(savedByAnswer), own]
      const [least, most] = [before - Math.max(...saved), before - Math.min(...saved)]
      const free = before - savedBy(planDisruption(snapshot, { strategy: 'first-fit', churn: 'allow' }))
      const boundPlan = planDisruption(snapshot, { strategy: 'first-fit' })
      const bound = before - savedBy(boundPlan)
      compared += 1
      sums.before += before
      sums.reference += (least + most) / 2
      sums.free += free
      sums.bound += bound
      if (free < least - cent) cheaper += 1
      if (free > most + cent) {
        dearer += 1
        console.error(`${scenario.name}: ${money(free)} per hour, and ${money(most)} by the reference`)
      }
      for (const { nodes, savingsPerHour, rule } of boundPlan.forgone)
        console.log(`${scenario.name}: ${rule} costs ${money(savingsPerHour)} per hour (${nodes.length} nodes stay)`)
      if (bound > free + cent) console.log(`${scenario.name}: avoiding churn costs ${money(bound - free)} per hour`)
    }
  }
  console.log(
    `Per hour before ${money(sums.before)}; after the reference ${money(sums.reference)}, after ours ${money(sums.free)}, without churn ${money(sums.bound)}`,
  )
  console.log(`${compared} compared: ${cheaper} cheaper, ${compared - cheaper - dearer} equal, ${dearer} dearer`)
  if (dearer > 0 || cheaper < leastCheaperShare * compared) process.exitCode = 1
}

main()
