import fs from 'node:fs'
import path from 'node:path'
import * as core from '@scantling/core'
import { root } from './step.ts'

/** One thing that a user of core can name: `Quantity.parse`, `planProvisioning`, `Snapshot`. */
export interface PublicName {
  /** As written at the call site. */
  readonly name: string
  /** The folder under `packages/core/src`. */
  readonly module: string
  readonly kind: 'function' | 'class' | 'value' | 'interface' | 'type'
  /** Where it is declared, relative to the root. */
  readonly file: string
  readonly line: number
  /** The doc comment without its stars; empty where there is none. */
  readonly doc: string
}

interface Declaration extends Omit<PublicName, 'module'> {
  readonly isType: boolean
}

const source = 'packages/core/src'

/**
 * Everything that core's index exports, functions of namespaces included, in the order of the modules and then by name.
 *
 * Reads the sources as text, for TypeScript 7 has no compiler API: it relies on prettier's layout (a declaration starts
 * its line) and on the few forms of re-export that the index files use; the tests hold the result against what core
 * exports at run time.
 */
export const publicSurface = (): ReadonlyArray<PublicName> => {
  const order = new Map(
    readLines(`${source}/index.ts`)
      .flatMap((line) => /from '\.\/(.+)\/index\.ts'$/.exec(line)?.[1] ?? [])
      .map((module, index) => [module, index]),
  )
  const seen = new Set<string>()
  return exportsOf(`${source}/index.ts`)
    .filter(({ name, isType }) => !seen.has(`${name} ${isType}`) && seen.add(`${name} ${isType}`))
    .map((declaration) => ({
      ...declaration,
      module: moduleOf(declaration),
      kind: kindOf(declaration),
    }))
    .toSorted(
      (one, other) =>
        compare(order.get(one.module) ?? 0, order.get(other.module) ?? 0) || compare(one.name, other.name),
    )
}

const compare = <A extends string | number>(one: A, other: A): number => (one < other ? -1 : one > other ? 1 : 0)
const moduleOf = ({ file }: Pick<PublicName, 'file'>): string => file.slice(source.length + 1).split('/')[0] ?? ''

// What a constant holds, its text need not tell (`decoderOf(schema)` is a function): core itself is asked.
const kindOf = ({ name, kind }: Omit<PublicName, 'module'>): PublicName['kind'] => {
  if (kind !== 'value') return kind
  const value = name
    .split('.')
    .reduce<unknown>((holder, key) => (holder as Readonly<Record<string, unknown>>)[key], core)
  return typeof value === 'function' ? 'function' : 'value'
}

const readLines = (file: string): ReadonlyArray<string> => fs.readFileSync(path.join(root, file), 'utf8').split('\n')

const declarationPattern = /^export (?:declare )?(?:async )?(const|function|class|abstract class|interface|type) (\w+)/

/** What one file exports, through its re-exports. */
const exportsOf = (file: string): ReadonlyArray<Declaration> => {
  const lines = readLines(file)
  const text = lines.join('\n')
  const follow = (relative: string) => exportsOf(path.posix.join(path.posix.dirname(file), relative))
  const imported = new Map(
    [...text.matchAll(/^import \* as (\w+) from '(\.[^']+)'/gm)].map(([, name, relative]) => [
      name ?? '',
      relative ?? '',
    ]),
  )
  const single = new Map(
    [...text.matchAll(/^import \{([^}]+)\} from '(\.[^']+)'/gm)].flatMap(([, names, relative]) =>
      (names ?? '').split(',').map((name) => [name.trim(), relative ?? ''] as const),
    ),
  )
  const found: Array<Declaration> = []
  for (const [, typeOnly, alias, relative] of text.matchAll(/^export (type )?\* (?:as (\w+) )?from '(\.[^']+)'/gm)) {
    const theirs = follow(relative ?? '').filter(({ isType }) => typeOnly === undefined || isType)
    if (alias === undefined) found.push(...theirs)
    else found.push(...inside(alias, theirs))
  }
  for (const [, typeOnly, names, relative] of text.matchAll(/^export (type )?\{([^}]+)\} from '(\.[^']+)'/gm)) {
    const theirs = follow(relative ?? '')
    for (const part of (names ?? '').split(',').filter((piece) => piece.trim() !== '')) {
      const [name, alias] = part
        .trim()
        .replace(/^type /, '')
        .split(' as ')
      const declaration = theirs.filter((one) => one.name === name)
      if (declaration.length === 0) throw new Error(`${file} exports ${name}, which ${relative} does not declare`)
      const isTypeOnly = typeOnly !== undefined || part.trim().startsWith('type ')
      found.push(
        ...declaration
          .filter(({ isType }) => !isTypeOnly || isType || declaration.length === 1)
          .map((one) => ({ ...one, name: alias ?? one.name })),
      )
    }
  }
  lines.forEach((line, at) => {
    const [, word, name] = declarationPattern.exec(line) ?? []
    if (word === undefined || name === undefined) return
    const value = valueAt(lines, at)
    const members = namespaceMembers(value, imported, single)
    if (members !== undefined) {
      for (const { relative, only } of members)
        found.push(
          ...inside(name, follow(relative)).filter((one) => only === undefined || one.name === `${name}.${only}`),
        )
      return
    }
    found.push({
      name,
      kind: word === 'const' ? 'value' : (word.replace('abstract ', '') as 'class'),
      isType: word === 'interface' || word === 'type',
      file,
      line: at + 1,
      doc: docAbove(lines, at),
    })
  })
  return found
}

/** What a namespace makes of a module's exports: types stay outside, for a namespace object carries values only. */
const inside = (alias: string, declarations: ReadonlyArray<Declaration>): ReadonlyArray<Declaration> =>
  declarations.filter(({ isType }) => !isType).map((one) => ({ ...one, name: `${alias}.${one.name}` }))

/** The text after `=` of a declaration, up to the next line that starts another. */
const valueAt = (lines: ReadonlyArray<string>, at: number): string => {
  const end = lines.findIndex(
    (line, index) => index > at && /^(\/\*\*|\/\/|export |const |function |interface |type |class )/.test(line),
  )
  return lines.slice(at, end === -1 ? undefined : end).join('\n')
}

/** Members of `export const Time = { ...duration, ...cron, parse }`: whole modules that are spread, and single imports. */
const namespaceMembers = (
  declaration: string,
  modules: ReadonlyMap<string, string>,
  single: ReadonlyMap<string, string>,
): ReadonlyArray<{ readonly relative: string; readonly only?: string }> | undefined => {
  const [, whole, listed] = /^export const \w+ = (?:(\w+)$|\{([^}:]+)\}$)/.exec(declaration.trim()) ?? []
  const names = whole === undefined ? (listed ?? '').split(',').flatMap((name) => name.trim() || []) : [`...${whole}`]
  const members = names.flatMap((name) => {
    const relative = name.startsWith('...') ? modules.get(name.slice(3)) : single.get(name)
    return relative === undefined ? [] : [{ relative, ...(name.startsWith('...') ? {} : { only: name }) }]
  })
  return members.length > 0 && members.length === names.length ? members : undefined
}

/** The doc comment that ends on the line above, stars taken off. */
const docAbove = (lines: ReadonlyArray<string>, at: number): string => {
  if (!(lines[at - 1] ?? '').trimEnd().endsWith('*/')) return ''
  let start = at - 1
  while (start >= 0 && !(lines[start] ?? '').startsWith('/**')) start -= 1
  return lines
    .slice(start, at)
    .map((line) => line.replace(/^\/\*\* ?|^ \*\/$|^ \* ?/, '').replace(/ ?\*\/$/, ''))
    .join('\n')
    .trim()
}
