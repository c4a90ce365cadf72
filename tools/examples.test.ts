import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as core from '@scantling/core'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { exampleOf, importsOf, runExample, statedValues } from './doc-examples.ts'
import { publicSurface } from './public-surface.ts'
import { root } from './step.ts'

const functions = publicSurface().filter(({ kind }) => kind === 'function')

/** Functions that go without an example: the decoders of single kinds, which differ in their kind alone. */
const shownBy = new Map(
  functions
    .filter(({ name, module }) => module === 'api' && /^decode[A-Z]/.test(name))
    .filter((declaration) => exampleOf(declaration) === undefined)
    .map(({ name }) => [name, 'decodePod']),
)

const readme = 'packages/core/README.md'
const readmeExample = /```ts\n([\s\S]*?)```/.exec(fs.readFileSync(path.join(root, readme), 'utf8'))?.[1] ?? ''
const examples = [
  ...functions.flatMap((declaration) => {
    const example = exampleOf(declaration)
    return example === undefined ? [] : [[declaration.name, example] as const]
  }),
  [readme, readmeExample] as const,
]

describe('what core exports is documented', () => {
  test('the search sees every function that core exports, those in namespaces included', () => {
    const isNamespace = (name: string) => /^[A-Z]|^s$/.test(name)
    const exported = Object.entries(core).flatMap(([name, value]) =>
      isNamespace(name)
        ? Object.entries(value).flatMap(([key, member]) => (typeof member === 'function' ? [`${name}.${key}`] : []))
        : typeof value === 'function'
          ? [name]
          : [],
    )
    expect(exported.length).toBeGreaterThan(150)
    expect(functions.map(({ name }) => name).toSorted()).toEqual(exported.toSorted())
  })

  test('every function says in one sentence what it is for', () => {
    const silent = functions.filter(
      ({ name, doc }) => !shownBy.has(name) && !/^[`A-Z][\s\S]*[.:]/.test(doc.split('@example')[0] ?? ''),
    )
    expect(silent.map(({ name, file, line }) => `${name} (${file}:${line})`)).toEqual([])
  })

  test('every function has an example that states a value', () => {
    const lacking = functions.filter(
      (declaration) => !shownBy.has(declaration.name) && statedValues(exampleOf(declaration) ?? '') === 0,
    )
    expect(lacking.map(({ name, file, line }) => `${name} (${file}:${line})`)).toEqual([])
  })

  test('what stands for the functions without an example has one', () => {
    const named = new Set(examples.map(([name]) => name))
    expect([...new Set(shownBy.values())].filter((name) => !named.has(name))).toEqual([])
  })
})

describe('the examples hold', () => {
  test.each(examples)('%s', async (_, example) => {
    let checked = 0
    await runExample(example, (actual, stated) => {
      checked += 1
      expect(actual).toEqual(stated)
    })
    expect(checked).toBe(statedValues(example))
  })

  test('a wrong value is noticed', async () => {
    await expect(
      runExample(`Quantity.parse('1') // => right('2')`, (actual, stated) => expect(actual).toEqual(stated)),
    ).rejects.toThrow()
  })
})

describe('the examples compile', () => {
  let folder = ''
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scantling-examples-'))
  })
  afterAll(() => fs.rmSync(folder, { recursive: true }))

  test('under the strict settings of this repository', () => {
    for (const [name, example] of examples) {
      const file = path.join(folder, `${name.replaceAll('/', '-')}.ts`)
      fs.writeFileSync(file, [...importsOf(example), example, 'export {}'].join('\n'))
    }
    const configuration = {
      extends: path.join(root, 'tsconfig.base.json'),
      compilerOptions: {
        types: [],
        noUnusedLocals: false,
        paths: {
          '@scantling/core': [path.join(root, 'packages/core/src/index.ts')],
          '@scantling/core/testing': [path.join(root, 'packages/core/src/testing/index.ts')],
          'fp-ts/*': [path.join(root, 'node_modules/fp-ts/*')],
        },
      },
      include: ['*.ts'],
    }
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(configuration))
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, '--project', folder], { cwd: folder, encoding: 'utf8' })
    // Sources outside the folder are the type-check's own business.
    expect(stdout.split('\n').filter((line) => /^[\w.-]+\.ts\(/.test(line))).toEqual([])
  }, 60_000)
})
