/**
 * `npm run build [PACKAGE…]`: compiles packages to `dist`, each after those that it depends on.
 *
 * Nothing in this repository needs it, since everything runs from the sources; what leaves the repository does.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './step.ts'

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest

/** Folders of the workspace's packages, by name. */
const folders = new Map(
  fs.readdirSync(path.join(root, 'packages')).map((name) => {
    const folder = path.join(root, 'packages', name)
    return [manifestOf(folder).name, folder]
  }),
)

const inOrder = (names: Iterable<string>, done = new Set<string>()): ReadonlySet<string> => {
  for (const name of names) {
    const folder = folders.get(name)
    if (folder === undefined || done.has(name)) continue
    inOrder(Object.keys(manifestOf(folder).dependencies ?? {}), done)
    done.add(name)
  }
  return done
}

/** Compiles packages and what they depend on, and gives the folders in the order of their dependence. Throws with what the compiler says. */
export const build = (names: Iterable<string> = folders.keys()): ReadonlyMap<string, string> => {
  const built = new Map<string, string>()
  for (const name of inOrder(names)) {
    const folder = folders.get(name) ?? ''
    const dist = path.join(folder, 'dist')
    fs.rmSync(dist, { recursive: true, force: true })
    // Without the source condition packages see each other as their readers will.
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        path.join(root, 'node_modules/typescript/bin/tsc'),
        ...['--project', path.join(folder, 'tsconfig.json'), '--noEmit', 'false', '--customConditions', 'null'],
      ],
      { encoding: 'utf8' },
    )
    if (status !== 0) throw new Error(`Cannot build ${name}:\n${stdout}`)
    for (const file of fs.readdirSync(dist, { recursive: true, encoding: 'utf8' }))
      if (file.endsWith('.d.ts')) pointToBuilt(path.join(dist, file))
    built.set(name, folder)
  }
  return built
}

// The compiler rewrites the paths of imports in JavaScript and leaves those in declarations; where it writes out a type
// that it inferred, it names files of fp-ts and io-ts as no ES module finds them.
const pointToBuilt = (file: string): void =>
  fs.writeFileSync(
    file,
    fs
      .readFileSync(file, 'utf8')
      .replaceAll(/((?:from|import\() ?['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2')
      .replaceAll(/(['"](?:fp|io)-ts\/lib\/\w+)(['"])/g, '$1.js$2'),
  )

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const names = process.argv.slice(2)
  console.log(`built ${[...build(names.length > 0 ? names : undefined).keys()].join(', ')}`)
}
