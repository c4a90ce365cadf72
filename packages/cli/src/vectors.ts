/**
 * `npm run vectors [-- family…]`: our decisions beside the reference's.
 *
 * The family `differences` holds the scenarios in which `first-fit` departs from the reference on purpose.
 * `--show family/N` prints one vector and our answer; `--all` prints every difference instead of the first of a family.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import type { Difference } from '@scantling/core'

import { checkDifference, readDifferences } from './differences.ts'
import { differencesOf } from './plan/compare-vector.ts'
import { answerAsAsked } from './plan/scenario-answer.ts'
import { catalogsIn, readVectors, type Vector } from './plan/scenario-files.ts'

const directory = fileURLToPath(new URL('../../../vectors', import.meta.url))
const catalogOf = catalogsIn(join(directory, 'catalogs'))
const differences = 'differences'

/** How one family fared. */
export interface FamilyResult {
  readonly family: string
  readonly agreed: number
  readonly compared: number
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
  const disagreements: Array<Disagreement> = []
  const vectors = readVectors(directory, family)
  for (const [index, vector] of vectors.entries()) {
    const found = compareVector(vector)
    if (found.length === 0) agreed += 1
    else disagreements.push({ number: index + 1, name: vector.scenario.name, differences: found })
  }
  return { family, agreed, compared: vectors.length, disagreements }
}

// A planner that throws on one vector must not hide how the others fare.
const compareVector = (vector: Vector): ReadonlyArray<Difference> => {
  try {
    return differencesOf(vector, catalogOf)
  } catch (error) {
    const actual = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return [{ projection: 'failure', expected: 'an answer', actual }]
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
  console.log(
    JSON.stringify(
      { ...vector, ours: answerAsAsked(vector.scenario, { strategy: 'reference', catalogOf }) },
      undefined,
      1,
    ),
  )
}

// Each deliberate difference must be there, and be just what its vector says.
const compareDifferences = (): { readonly agreed: number; readonly compared: number } => {
  const results = readDifferences(join(directory, differences)).map((vector) => ({
    name: vector.name,
    problems: checkDifference(vector, catalogOf),
  }))
  const failed = results.filter(({ problems }) => problems.length > 0)
  const agreed = results.length - failed.length
  console.log(
    `${differences.padEnd(14)} ${agreed}/${results.length} differ under first-fit as they say, and only there`,
  )
  for (const { name, problems } of failed) console.log([`  ${name}`, ...problems.map(shorten)].join('\n    '))
  return { agreed, compared: results.length }
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
  for (const family of positionals.length > 0 ? positionals : [...families(), differences]) {
    if (family === differences) {
      const { agreed, compared } = compareDifferences()
      passed += agreed
      failed += compared - agreed
      if (agreed < compared) process.exitCode = 1
      continue
    }
    const result = runFamily(family)
    const { agreed, compared, disagreements } = result
    const least = Math.ceil((required[family] ?? 0) * compared)
    const notes = [...(compared > 0 ? [`required: ${least}`] : [])]
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
