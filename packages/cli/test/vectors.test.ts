import { compareProvision, type ProvisionOutput } from '@scantling/core'
import { describe, expect, test } from '@jest/globals'

import { catalogsIn, readVectors } from '../src/plan/scenario-files.ts'
import { answerAsAsked, answerScenario } from '../src/plan/scenario-answer.ts'
import { families, requiredShares, runFamily } from '../src/vectors.ts'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('../../../vectors', import.meta.url))
const required = requiredShares()

describe('decisions equal the reference as far as vectors/required.json demands', () => {
  test('the families of the tutorials are demanded to at least 95 in 100', () => {
    for (const family of ['requirements', 'resources', 'taints']) {
      expect(required[family]).toBeGreaterThanOrEqual(0.95)
    }
  })

  for (const family of families()) {
    const share = required[family]
    if (share === undefined) continue
    test(`${family}: at least ${share * 100} in 100`, () => {
      const { agreed, compared, disagreements } = runFamily(family)
      expect(compared).toBeGreaterThan(0)
      const names = disagreements.map(({ number, differences }) => `${number}: ${differences[0]?.projection}`)
      if (agreed < share * compared)
        throw new Error(`${family} agrees in ${agreed} of ${compared}: ${names.join(', ')}`)
    })
  }
})

describe('the comparison can tell answers apart', () => {
  const vectors = readVectors(directory, 'requirements')
  const answerOf = (number: number): ProvisionOutput => {
    const [output] = vectors[number]?.expected.outputs ?? []
    if (output === undefined) throw new Error('Expected the vector to have an output')
    return output
  }
  const expected = (number: number) => vectors[number]?.expected ?? { outputs: [] }

  test("the reference's own answers agree", () => {
    for (const { expected: answer } of vectors) {
      for (const output of answer.outputs) expect(compareProvision(answer, output)).toEqual([])
    }
  })

  test('messages are not compared', () => {
    const output = answerOf(0)
    expect(compareProvision(expected(0), { ...output, podErrors: { 'default/p004': 'in other words' } })).toEqual([])
  })

  test('a missing claim, another price and another order of types are differences', () => {
    const output = answerOf(0)
    const [claim, ...others] = output.newNodeClaims
    if (claim === undefined) throw new Error('Expected a claim')
    const projections = (changed: ProvisionOutput) =>
      compareProvision(expected(0), changed).map(({ projection }) => projection)
    expect(projections({ ...output, newNodeClaims: others })).toContain('claimCount')
    expect(projections({ ...output, newNodeClaims: [{ ...claim, price: 1 }, ...others] })).toEqual(['price'])
    const reversed = others.map((one) => ({ ...one, instanceTypes: [...one.instanceTypes].reverse() }))
    expect(projections({ ...output, newNodeClaims: [claim, ...reversed] })).toEqual(['instanceTypes'])
    expect(projections({ ...output, newNodeClaims: [{ ...claim, labels: { a: 'b' } }, ...others] })).toEqual(['whole'])
  })

  test('a nondeterministic reference binds in stable projections only', () => {
    const output = answerOf(0)
    const wobbly = { ...expected(0), nondeterministic: true, unstable: ['price'] }
    const [claim, ...others] = output.newNodeClaims
    if (claim === undefined) throw new Error('Expected a claim')
    expect(compareProvision(wobbly, { ...output, newNodeClaims: [{ ...claim, price: 1 }, ...others] })).toEqual([])
    expect(compareProvision(wobbly, { ...output, newNodeClaims: others })).not.toEqual([])
  })
})

describe('answerScenario()', () => {
  const catalogOf = catalogsIn(`${directory}/catalogs`)

  test('says what is wrong with a scenario instead of throwing', () => {
    const result = answerScenario({ version: 2, name: 'late' }, { strategy: 'reference', catalogOf })
    expect(result.name).toBe('late')
    expect(result.failure).toContain('version: Invalid value: 2')
    expect(result.outputs).toEqual([])
  })

  test('names a catalogue that is not there', () => {
    const scenario = { version: 1, now: '2026-01-01T00:00:00Z', catalog: 'nowhere', objects: [] }
    const result = answerScenario(scenario, { strategy: 'reference', catalogOf })
    expect(result.failure).toBe('catalog: Invalid value: "nowhere": there is no such catalogue')
  })

  test('answers disruption with every method by itself', () => {
    const scenario = { version: 1, now: '2026-01-01T00:00:00Z', kind: 'disrupt', objects: [] }
    const { kind, outputs } = answerAsAsked(scenario, { strategy: 'reference', catalogOf })
    expect(kind).toBe('disrupt')
    expect(outputs).toMatchObject([
      {
        selected: '',
        methods: [
          { method: 'emptiness', decision: 'none' },
          { method: 'static-drift' },
          { method: 'drift' },
          { method: 'multi-node-consolidation' },
          { method: 'single-node-consolidation' },
        ],
      },
    ])
  })
})
