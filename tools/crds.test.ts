import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { renderCrds } from './crds.ts'
import { root } from './step.ts'
import { renderYaml } from './yaml.ts'

describe('the CustomResourceDefinitions', () => {
  const files = Object.entries(renderCrds())

  test('there is one file for each kind, and no other', () => {
    expect(fs.readdirSync(path.join(root, 'deploy/crds')).sort()).toEqual(
      files.map(([file]) => path.basename(file)).sort(),
    )
  })

  test.each(files)('%s is what the schemas say', (file, text) => {
    expect(fs.readFileSync(path.join(root, file), 'utf8')).toBe(text)
  })
})

describe('renderYaml()', () => {
  test('quotes what YAML would read as something else', () => {
    const value = { a: ['True', '10%', 'x: y', '', 'plain text.', '2026-01-01', 'no'], b: [{ c: 1, d: [] }], e: {} }
    expect(renderYaml(value)).toBe(
      [
        'a:',
        '  - "True"',
        '  - "10%"',
        '  - "x: y"',
        '  - ""',
        '  - plain text.',
        '  - "2026-01-01"',
        '  - "no"',
        'b:',
        '  - c: 1',
        '    d: []',
        'e: {}',
        '',
      ].join('\n'),
    )
  })
})
