import { describe, expect, test } from '@jest/globals'
import { testTitles } from './test-titles.ts'

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
