import vm from 'node:vm'
import * as either from 'fp-ts/lib/Either.js'
import * as core from '@scantling/core'
import * as testing from '@scantling/core/testing'
import { transformSync } from '@swc/core'
import type { PublicName } from './public-surface.ts'

/**
 * The code of a doc comment's `@example`, or `undefined` without one.
 *
 * An example may use every name of core, and `left` and `right` of fp-ts, without importing them; builders come from
 * `@scantling/core/testing` by an import that the reader sees. `// => value` after a statement, or below it, states what
 * the statement's expression is: any expression of JavaScript.
 */
export const exampleOf = ({ doc }: Pick<PublicName, 'doc'>): string | undefined =>
  /@example\n([\s\S]*?)(?=\n@|$)/.exec(doc)?.[1]?.trim()

/** How many values the example states. */
export const statedValues = (example: string): number => example.match(/\/\/ => /g)?.length ?? 0

const libraries: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '@scantling/core': core,
  '@scantling/core/testing': testing,
  'fp-ts/lib/Either.js': either,
}

/** The imports that an example leaves out: names of core that it uses, and `left` and `right`. */
export const importsOf = (example: string): ReadonlyArray<string> => {
  // Words in plain strings name nothing; those in templates may.
  const text = example.replace(/(['"])(?:\\.|(?!\1).)*\1/g, '')
  const own = new Set([...text.matchAll(/\b(?:const|let|function) (\w+)/g)].map(([, name]) => name))
  for (const [, names] of text.matchAll(/^import \{([^}]+)\}/gm))
    for (const name of (names ?? '').split(',')) own.add(name.trim().replace(/^type /, ''))
  const namesOf = (library: Readonly<Record<string, unknown>>) =>
    Object.keys(library).filter((name) => !own.has(name) && new RegExp(String.raw`(?<![.\w])${name}\b(?!:)`).test(text))
  const sources = [
    ['@scantling/core', namesOf(core)],
    ['fp-ts/lib/Either.js', namesOf({ left: either.left, right: either.right })],
  ] as const
  return sources.flatMap(([from, names]) =>
    names.length === 0 ? [] : [`import { ${names.join(', ')} } from '${from}'`],
  )
}

/** The example as a module of its own, with a call of `check` for each stated value. */
export const moduleOf = (example: string): string =>
  [...importsOf(example), ...withChecks(example.split('\n'))].join('\n')

// A statement starts in the first column and goes on in indented lines or with a closing bracket.
const withChecks = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const result: Array<string> = []
  let statement = 0
  for (const line of lines) {
    const [, code = '', value] = /^(.*?)\s*\/\/ => (.*)$/.exec(line) ?? [line, line]
    if (/^[^\s)\]}/]/.test(line)) statement = result.length
    if (value === undefined) {
      result.push(code)
      continue
    }
    if (code !== '') result.push(code)
    const expression = result.splice(statement).join('\n')
    result.push(`check(() => (${expression}\n), () => (${value}))`)
  }
  return result
}

/**
 * Runs an example as an ES module; `check` gets what each statement gave and what the comment says.
 *
 * Needs Node's `--experimental-vm-modules`, as the tests do.
 */
export const runExample = async (example: string, check: (actual: unknown, stated: unknown) => void): Promise<void> => {
  const { code } = transformSync(moduleOf(example), {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
    module: { type: 'es6' },
  })
  const context = vm.createContext({
    check: (actual: () => unknown, stated: () => unknown) => check(actual(), stated()),
  })
  const module = new vm.SourceTextModule(code, { context })
  await module.link((specifier) => {
    const library = libraries[specifier]
    if (library === undefined) throw new Error(`An example may not import ${specifier}`)
    const names = Object.keys(library)
    return new vm.SyntheticModule(
      names,
      function () {
        for (const name of names) this.setExport(name, library[name])
      },
      { context },
    )
  })
  await module.evaluate()
}
