/**
 * `npm run compatibility`: counts the rows of docs/compatibility.md, and holds the proven ones against the results of
 * the suites that ran (`test-results/*.json`): a row is only as good as its test.
 */
import fs from 'node:fs'
import path from 'node:path'
import { countStates, readCompatibility, rowsOf } from './compatibility-table.ts'
import { root } from './step.ts'
import { namePattern } from './test-titles.ts'

interface Result {
  readonly file: string
  readonly name: string
  readonly status: string
}

const readResults = (): ReadonlyArray<Result> => {
  const directory = path.join(root, 'test-results')
  if (!fs.existsSync(directory)) return []
  return fs
    .readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const { tests } = JSON.parse(fs.readFileSync(path.join(directory, name), 'utf8')) as {
        tests?: ReadonlyArray<Result>
      }
      return tests ?? []
    })
}

const { sections, unknown } = readCompatibility()
const rows = rowsOf(sections)
const results = readResults()
const problems = unknown.map(({ id, file }) => `${file} names ${id}, which is no row of docs/parity`)
for (const { id, tests } of results.length === 0 ? [] : rows) {
  for (const test of tests) {
    const pattern = namePattern(test.titles)
    const ran = results.filter(({ file, name }) => file === test.file && pattern.test(name))
    if (ran.length === 0) problems.push(`${id}: ${test.file} "${test.titles.join(' › ')}" did not run`)
    for (const { name } of ran.filter(({ status }) => status === 'failed')) problems.push(`${id}: "${name}" failed`)
    if (ran.length > 0 && ran.every(({ status }) => status === 'pending'))
      console.log(`${id}: skipped "${test.titles.join(' › ')}"`)
  }
}
for (const problem of problems) console.error(problem)
if (results.length === 0)
  console.log('No results under test-results/: run "npm test" first to check that the named tests pass')
const { proven, declined, open } = countStates(rows)
console.log(`compatibility: ${proven} proven, ${declined} declined with a reason, ${open} open`)
if (problems.length > 0) process.exitCode = 1
