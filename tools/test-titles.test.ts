import { describe, expect, test } from '@jest/globals'
import { namePattern, testTitles } from './test-titles.ts'

describe('testTitles()', () => {
  test('joins the titles of groups and tests', () => {
    const source = `describe('a set', () => { test('P-REQ-01 holds', () => {}); test('another', async () => {}) })`
    expect(testTitles(source)).toEqual([
      { titles: ['a set'] },
      { titles: ['a set', 'P-REQ-01 holds'] },
      { titles: ['a set', 'another'] },
    ])
  })

  test('sees tables, conditions and computed titles', () => {
    const source = [
      "test.each([['x', 1]])('L-REG-01 with %s', (x) => {})",
      "(hasKubectl ? test : test.skip)('needs kubectl', () => {})",
      'for (const name of names) law(`P-TNT-02 for ${name}`, () => {})',
    ].join(';\n')
    expect(testTitles(source)).toEqual([
      { titles: ['L-REG-01 with %s'] },
      { titles: ['needs kubectl'] },
      { titles: ['P-TNT-02 for %s'] },
    ])
  })

  test('passes over calls that are no tests, and comments', () => {
    expect(testTitles(`// test('P-REQ-02', () => {})\nexpect(render('P-REQ-03')).toBe('x')`)).toEqual([])
  })
})

describe('namePattern()', () => {
  test('matches what jest made of the titles, and nothing else', () => {
    const pattern = namePattern(['a set', 'P-REQ-01 (%s) holds for $name.value'])
    expect(pattern.test('a set P-REQ-01 (In) holds for zone')).toBe(true)
    expect(pattern.test('a set P-REQ-01 In holds for zone')).toBe(false)
    expect(pattern.test('another a set P-REQ-01 (In) holds for zone')).toBe(false)
  })

  test('matches every test of a group', () => {
    expect(namePattern(['P-TNT-02']).test('P-TNT-02 tolerates everything')).toBe(true)
  })
})
