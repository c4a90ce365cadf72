import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from '@jest/globals'

import { checkDifference, readDifferences } from '../src/differences.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const directory = `${root}vectors/differences`
const vectors = readDifferences(directory)
const catalogOf = () => undefined
const section =
  /^## In decisions.*?\n(.*?)^## /ms.exec(readFileSync(`${root}docs/differences-from-karpenter.md`, 'utf8'))?.[1] ?? ''
// The first table alone: what follows it says what is kept.
const rows = (
  section
    .trim()
    .split(/\n\n+/)
    .find((paragraph) => paragraph.startsWith('|')) ?? ''
)
  .split('\n')
  .slice(2)

describe('docs/differences-from-karpenter.md', () => {
  test('the section on decisions is read', () => {
    expect(rows.length).toBeGreaterThanOrEqual(6)
  })

  test.each(rows.map((row) => ({ where: row.split('|')[1]?.trim(), row })))(
    '$where: a vector shows both',
    ({ row }) => {
      const [, file] = /`(vectors\/differences\/[\w-]+\.json)`/.exec(row) ?? []
      if (file === undefined) throw new Error('This entry names no vector that shows both answers')
      expect(existsSync(`${root}${file}`)).toBe(true)
    },
  )

  test('every vector is named by an entry', () => {
    const orphans = readdirSync(directory).filter(
      (file) => rows.filter((row) => row.includes(`/${file}\``)).length !== 1,
    )
    expect(orphans).toEqual([])
  })
})

describe('under reference we answer as the reference, under first-fit as we say, and the two differ', () => {
  test.each(vectors)('$name: $firstFit.why', (vector) => {
    expect(vector.firstFit.why).toMatch(/\.$/)
    expect(checkDifference(vector, catalogOf)).toEqual([])
  })
})

describe('checkDifference()', () => {
  const [vector] = vectors
  if (vector === undefined) throw new Error('Expected a vector')
  const { expected, firstFit } = vector

  test('tells a vector on which both strategies answer the same', () => {
    // With one pod the limit of one node binds neither.
    const { objects, ...rest } = vector.scenario as typeof vector.scenario & { readonly objects: ReadonlyArray<object> }
    const scenario = { ...rest, objects: objects.slice(0, -1) }
    const output = { ...firstFit.output, podErrors: {} }
    const problems = checkDifference(
      { ...vector, scenario, expected: { ...expected, outputs: [output] }, firstFit: { ...firstFit, output } },
      catalogOf,
    )
    expect(problems).toEqual(['reference and first-fit answer the same'])
  })

  test('tells an answer of first-fit that is not the one in the vector', () => {
    const [output] = expected.outputs
    if (output === undefined) throw new Error('Expected an output')
    expect(checkDifference({ ...vector, firstFit: { ...firstFit, output } }, catalogOf)).toContainEqual(
      'first-fit departs from its answer in the vector in claimCount: expected 2, got 1',
    )
  })

  test('tells an answer of reference that is not the one in the vector', () => {
    expect(checkDifference({ ...vector, expected: { outputs: [firstFit.output] } }, catalogOf)).toContainEqual(
      'reference departs from the reference in claimCount: expected 1, got 2',
    )
  })
})
