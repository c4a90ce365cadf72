import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from './step.ts'

// Walks the tree itself: the scripts must work in a copy that git knows nothing of.
const ignored = new Set(['node_modules', 'dist', 'coverage', 'test-results', '.git', '.cache'])

const walk = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name)
    if (entry.isDirectory()) return ignored.has(entry.name) ? [] : walk(file)
    return entry.isFile() ? [file] : []
  })

const files = walk('.')
const thisFile = 'tools/tidy.test.ts'
const textFiles = files.filter(
  (file) => /\.(ts|mjs|json|ya?ml|md|sh)$|(^|\/)(run|Dockerfile)$/.test(file) && file !== thisFile,
)
const code = files.filter((file) => /\.(ts|mjs)$/.test(file) && file !== thisFile)
const manifests = files.filter((file) => path.basename(file) === 'package.json')
// A lockfile is another program's, and large data is not prose.
const written = textFiles.filter((file) => !/(^|\/)(pnpm-lock\.yaml|package-lock\.json)$|^vectors\//.test(file))

const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8')

/** `file:line: text` of every line that matches, so that a failure shows where to go. */
const linesMatching = (candidates: ReadonlyArray<string>, pattern: RegExp): ReadonlyArray<string> =>
  candidates.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  )

describe('the tree is tidy', () => {
  test('the walk sees the sources', () => {
    expect(code.length).toBeGreaterThan(60)
    expect(manifests.length).toBeGreaterThan(6)
  })

  test('nothing is left open in the code', () => {
    expect(linesMatching(code, /\b(TODO|FIXME|XXX)\b/)).toEqual([])
  })

  test('no test is focused or switched off', () => {
    const tests = code.filter((file) => file.endsWith('.test.ts'))
    expect(linesMatching(tests, /\.(only|skip)\(|\b(fit|fdescribe|xit|xtest|xdescribe)\(/)).toEqual([])
  })

  test('no file names a path of one machine', () => {
    // azureuser is who nodes of AKS have, on every machine.
    const paths = new RegExp(String.raw`(?<![\w.])/(work|home/(?!me/|azureuser/)\w+|Users/\w+|root)/(?!\*)`)
    expect(linesMatching(written, paths)).toEqual([])
  })

  test('no file refers to notes outside the repository', () => {
    const outside = /\bshared\/(design|style|port|real-cluster|parity|seeds|vectors|oracle|cost)\b/
    expect(linesMatching(written, outside)).toEqual([])
  })

  test('no file names a package registry', () => {
    expect(
      linesMatching([...written, ...files.filter((file) => file.endsWith('package-lock.json'))], /\bregistry\.npmjs\b/),
    ).toEqual([])
  })

  test('nothing fetches a package by a name that somebody else may register', () => {
    expect(linesMatching(written, /\bnpx (?!--no-install)[@\w]/)).toEqual([])
  })

  test('every file and folder of code says what it holds', () => {
    const vague = /\/(utils?|helpers?|common|misc|types|managers?|services?)(\.|\/)/
    expect(code.filter((file) => vague.test(`/${file}`))).toEqual([])
  })

  test.each(manifests)('%s is private and pins exact versions', (file) => {
    const manifest = JSON.parse(read(file)) as Readonly<Record<string, unknown>>
    expect(manifest['private']).toBe(true)
    const loose = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.entries((manifest[kind] ?? {}) as Readonly<Record<string, string>>).filter(
        ([, version]) => !/^(\d+\.\d+\.\d+|workspace:\*)$/.test(version),
      ),
    )
    expect(loose).toEqual([])
  })

  test('the root manifest can be read by npm alone', () => {
    // "workspace:" is pnpm's; devEngines makes npm refuse to start anything on an older Node.
    expect(read('package.json')).not.toMatch(/"workspace:|"devEngines"/)
  })
})
