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

const forAuthors = ['@scantling/core', '@scantling/provider-kit', '@scantling/conformance']

/** Builds and packs the packages that a provider is written with; paths of the tarballs, a package after what it needs. */
export const packForAuthors = (directory: string): ReadonlyArray<string> => {
  fs.mkdirSync(directory, { recursive: true })
  return [...build(forAuthors).values()].map((folder) => packFolder(folder, directory))
}

/** Packs one built package. Its manifest names versions instead of the workspace, and no sources. */
export const packFolder = (folder: string, directory: string): string => {
  const staging = fs.mkdtempSync(path.join(os.tmpdir(), 'scantling-pack-'))
  try {
    fs.cpSync(path.join(folder, 'dist'), path.join(staging, 'dist'), { recursive: true })
    const { devDependencies: _own, ...manifest } = JSON.parse(
      fs.readFileSync(path.join(folder, 'package.json'), 'utf8'),
    ) as {
      readonly version: string
      readonly devDependencies?: unknown
    }
    const text = JSON.stringify(manifest, (key, value: unknown) =>
      key === '@scantling/source' ? undefined : value === 'workspace:*' ? manifest.version : value,
    )
    fs.writeFileSync(path.join(staging, 'package.json'), text)
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
    for (const tarball of packForAuthors(path.resolve(process.env['INIT_CWD'] ?? '', directory))) console.log(tarball)
}
