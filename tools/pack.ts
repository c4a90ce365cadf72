/**
 * `npm run pack -- DIRECTORY`: the tarballs that the author of a provider installs, made by `npm pack`.
 *
 * Nothing is published yet, so these stand in for the registry.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from './build.ts'
import { root } from './step.ts'

/** What the author of a provider writes it with. */
const forAuthors = ['@scantling/core', '@scantling/provider-kit', '@scantling/conformance']

/** What a registry would have: the rest belongs to this repository. */
export const published = [
  ...forAuthors,
  '@scantling/provider-kwok',
  '@scantling/provider-aws',
  '@scantling/provider-azure',
  '@scantling/kube-sim',
  '@scantling/controller',
]

/** Builds and packs packages and what they depend on; paths of the tarballs, a package after what it needs. */
export const packPackages = (directory: string, names: Iterable<string> = forAuthors): ReadonlyArray<string> => {
  fs.mkdirSync(directory, { recursive: true })
  return [...build(names).values()].map((folder) => packFolder(folder, directory))
}

interface Manifest {
  readonly version: string
  readonly exports?: Readonly<Record<string, { readonly default?: string }>>
  readonly bin?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** The manifest as it is published: versions instead of the workspace, no sources, and nothing that is not in `dist`. */
const manifestOf = (folder: string): Manifest => {
  const {
    devDependencies: _dev,
    private: _private,
    ...manifest
  } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest
  const isBuilt = (target: { readonly default?: string }): boolean =>
    target.default !== undefined && fs.existsSync(path.join(folder, target.default))
  const whole = {
    ...manifest,
    ...(manifest.exports === undefined
      ? {}
      : { exports: Object.fromEntries(Object.entries(manifest.exports).filter(([, target]) => isBuilt(target))) }),
    // Programs run here through the launcher, which brings Node; elsewhere they are what was compiled.
    ...(manifest.bin === undefined
      ? {}
      : { bin: Object.fromEntries(Object.keys(manifest.bin).map((name) => [name, 'dist/main.js'])) }),
  }
  return JSON.parse(
    JSON.stringify(whole, (key, value: unknown) =>
      key === '@scantling/source' ? undefined : value === 'workspace:*' ? manifest.version : value,
    ),
  ) as Manifest
}

/** Packs one built package. */
export const packFolder = (folder: string, directory: string): string => {
  const staging = fs.mkdtempSync(path.join(os.tmpdir(), 'scantling-pack-'))
  try {
    fs.cpSync(path.join(folder, 'dist'), path.join(staging, 'dist'), { recursive: true })
    fs.copyFileSync(path.join(root, 'LICENSE'), path.join(staging, 'LICENSE'))
    const readme = path.join(folder, 'README.md')
    if (fs.existsSync(readme)) fs.copyFileSync(readme, path.join(staging, 'README.md'))
    fs.writeFileSync(path.join(staging, 'package.json'), JSON.stringify(manifestOf(folder), undefined, 2))
    const packed = spawnSync('npm', ['pack', '--json', '--pack-destination', path.resolve(directory)], {
      cwd: staging,
      encoding: 'utf8',
    })
    if (packed.status !== 0) throw new Error(`Cannot pack ${folder}: ${packed.stderr}`)
    const answer = JSON.parse(packed.stdout) as
      ReadonlyArray<{ readonly filename: string }> | Readonly<Record<string, { readonly filename: string }>>
    const [first] = Array.isArray(answer)
      ? (answer as ReadonlyArray<{ readonly filename: string }>)
      : Object.values(answer)
    return path.join(path.resolve(directory), (first?.filename ?? '').replace(/^@/, '').replaceAll('/', '-'))
  } finally {
    fs.rmSync(staging, { recursive: true, force: true })
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [directory] = process.argv.slice(2)
  if (directory === undefined) {
    console.error('Name the directory for the tarballs: npm run pack -- DIRECTORY')
    process.exitCode = 2
  } else
    for (const tarball of packPackages(path.resolve(process.env['INIT_CWD'] ?? '', directory))) console.log(tarball)
}
