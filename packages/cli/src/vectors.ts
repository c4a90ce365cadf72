/**
 * `npm run vectors [-- family…]`: our decisions beside the reference's.
 *
 * `--show family/N` prints one vector and our answer; `--all` prints every difference instead of the first of a family.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { compareProvision, type Difference } from '@scantling/core'

import { answerScenario, type ScenarioResult } from './plan/scenario-answer.ts'
import { catalogsIn, readVectors, type Vector } from './plan/scenario-files.ts'

const directory = fileURLToPath(new URL('../../../vectors', import.meta.url))
const catalogOf = catalogsIn(join(directory, 'catalogs'))

/** How one family fared. */
export interface FamilyResult {
  readonly family: string
  readonly agreed: number
  readonly compared: number
  /** Vectors of kinds that are not planned yet; they count neither way. */
  readonly notRun: number
  readonly disagreements: ReadonlyArray<Disagreement>
}

interface Disagreement {
  readonly number: number
  readonly name: string
  readonly differences: ReadonlyArray<Difference>
}

/** Least shares of agreement that must hold, by family; a family that is not listed has none yet. */
export const requiredShares = (): Readonly<Record<string, number>> =>
  JSON.parse(readFileSync(join(directory, 'required.json'), 'utf8')) as Readonly<Record<string, number>>

export const families = (): ReadonlyArray<string> =>
  readdirSync(directory)
    .filter((file) => file.endsWith('.jsonl.gz'))
    .map((file) => file.slice(0, -'.jsonl.gz'.length))
    .sort()

/** Answers every vector of a family and compares. */
export const runFamily = (family: string): FamilyResult => {
  let agreed = 0
  let notRun = 0
  const disagreements: Array<Disagreement> = []
  const vectors = readVectors(directory, family)
  for (const [index, vector] of vectors.entries()) {
    if (vector.scenario.kind !== 'provision') {
      notRun += 1
      continue
    }
    const differences = compareVector(vector)
    if (differences.length === 0) agreed += 1
    else disagreements.push({ number: index + 1, name: vector.scenario.name, differences })
  }
  return { family, agreed, compared: vectors.length - notRun, notRun, disagreements }
}

const compareVector = (vector: Vector): ReadonlyArray<Difference> => {
  const { outputs, failure } = answer(vector)
  const [output] = outputs
  return output === undefined
    ? [{ projection: 'failure', expected: 'an answer', actual: failure ?? 'none' }]
    : compareProvision(vector.expected, output)
}

// A planner that throws on one vector must not hide how the others fare.
const answer = ({ scenario }: Vector): Pick<ScenarioResult, 'outputs' | 'failure'> => {
  try {
    return answerScenario(scenario, { strategy: 'reference', catalogOf })
  } catch (error) {
    return { outputs: [], failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

const longestText = 1200
const shorten = (text: string) => (text.length > longestText ? `${text.slice(0, longestText)}…` : text)

// Where two long texts part is what one wants to see.
const excerpt = (text: string, other: string): string => {
  let start = 0
  while (start < text.length && text[start] === other[start]) start += 1
  return start > 400 ? `…${text.slice(start - 200)}` : text
}

const describe = ({ family, disagreements }: FamilyResult, isAll: boolean): string =>
  (isAll ? disagreements : disagreements.slice(0, 1))
    .map(({ number, name, differences }) => {
      const lines = (isAll ? differences.slice(0, 1) : differences).map(
        ({ projection, expected, actual }) =>
          `    ${projection}\n      reference  ${shorten(excerpt(expected, actual))}\n      ours       ${shorten(excerpt(actual, expected))}`,
      )
      return `  ${family}/${number} (${name}) differs in ${differences.map(({ projection }) => projection).join(', ')}\n${lines.join('\n')}`
    })
    .join('\n')

const show = (wanted: string): void => {
  const [family = '', number = '1'] = wanted.split('/')
  const vector = readVectors(directory, family)[Number(number) - 1]
  if (vector === undefined) throw new Error(`There is no vector ${wanted}`)
  console.log(JSON.stringify({ ...vector, ours: answer(vector) }, undefined, 1))
}

const main = (): void => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { show: { type: 'string' }, all: { type: 'boolean', default: false } },
  })
  if (values.show !== undefined) return show(values.show)
  const required = requiredShares()
  let passed = 0
  let failed = 0
  for (const family of positionals.length > 0 ? positionals : families()) {
    const result = runFamily(family)
    const { agreed, compared, notRun, disagreements } = result
    const least = Math.ceil((required[family] ?? 0) * compared)
    const notes = [
      ...(notRun > 0 ? [`${notRun} not run: ask for disruption, which is not planned yet`] : []),
      ...(compared > 0 ? [`required: ${least}`] : []),
    ]
    console.log(`${family.padEnd(14)} ${agreed}/${compared} agree${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`)
    if (disagreements.length > 0) console.log(describe(result, values.all))
    passed += agreed
    failed += compared - agreed
    if (agreed < least) {
      console.log(`  ${family} agrees in fewer vectors than vectors/required.json demands`)
      process.exitCode = 1
    }
  }
  console.log(`${passed} passed, ${failed} failed`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
