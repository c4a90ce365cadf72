import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Metafile } from 'esbuild'

/** A package that has at least one file in a bundle. */
export interface BundledPackage {
  readonly name: string
  readonly version: string
  /** As its manifest says it: an SPDX identifier or expression. */
  readonly licence: string
  /** What the package says of its licence, its notices included; empty where it brings no such file. */
  readonly licenceText: string
}

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly license?: string | { readonly type?: string }
  readonly licenses?: ReadonlyArray<{ readonly type?: string }>
}

const root = resolve(import.meta.dirname, '..')

/** The packages whose files ended in the outputs, by name and version. Throws for a file that belongs to none. */
export const packagesOf = (metafile: Metafile): ReadonlyArray<BundledPackage> => {
  const used = new Set(Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs)))
  const packages = new Map<string, BundledPackage>()
  for (const directory of new Set([...used].map(directoryOf))) {
    const found = read(directory)
    packages.set(`${found.name}@${found.version}`, found)
  }
  return [...packages].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, found]) => found)
}

/** The package that a file belongs to. Manifests deeper in say how files are to be read, and are no packages of their own. */
const directoryOf = (file: string): string => {
  const [installed] = /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []
  if (installed !== undefined) return join(root, installed)
  for (let directory = dirname(join(root, file)); directory !== root; directory = dirname(directory))
    if (existsSync(join(directory, 'package.json'))) return directory
  throw new Error(`Cannot tell to which package ${file} belongs: there is no manifest above it`)
}

const manifestOf = (directory: string): Manifest =>
  JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest

const read = (directory: string): BundledPackage => {
  const { name = '', version = '', license, licenses = [] } = manifestOf(directory)
  const licence =
    (typeof license === 'string' ? license : license?.type) ?? licenses.map(({ type }) => type ?? '').join(' OR ')
  const texts = readdirSync(directory)
    .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    .sort((left, right) => (left < right ? -1 : 1))
    .map((file) => readFileSync(join(directory, file), 'utf8').trim())
  return { name, version, licence, licenceText: texts.join('\n\n') }
}

/** A bill of materials in CycloneDX 1.6, without time or serial number: equal bundles have equal ones. */
export const renderSbom = (provider: string, packages: ReadonlyArray<BundledPackage>, bundle: Uint8Array): string =>
  `${JSON.stringify(
    {
      $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      version: 1,
      metadata: {
        component: {
          type: 'application',
          'bom-ref': 'bundle',
          name: `scantling-controller-${provider}`,
          version: packages.find(({ name }) => name === '@scantling/controller')?.version,
          hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(bundle).digest('hex') }],
          licenses: [{ license: { id: 'Apache-2.0' } }],
        },
      },
      components: packages.map(({ name, version, licence }) => {
        const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
        return {
          type: 'library',
          'bom-ref': purl,
          name,
          version,
          purl,
          licenses: [/[ ()]/.test(licence) ? { expression: licence } : { license: { id: licence } }],
        }
      }),
      // What needs what inside is the bundler's business; the bundle holds all of it.
      dependencies: [
        {
          ref: 'bundle',
          dependsOn: packages.map(({ name, version }) => `pkg:npm/${name.replace('@', '%40')}@${version}`),
        },
      ],
    },
    undefined,
    2,
  )}\n`

/** The licences of everything inside, equal texts once. */
export const renderLicences = (packages: ReadonlyArray<BundledPackage>): string => {
  const byText = new Map<string, Array<BundledPackage>>()
  for (const each of packages) {
    const text =
      each.licenceText === '' ? `Licensed under ${each.licence}; the package brings no text of it.` : each.licenceText
    byText.set(text, [...(byText.get(text) ?? []), each])
  }
  return [...byText]
    .map(([text, same]) => `${same.map(({ name, version }) => `${name} ${version}`).join('\n')}\n\n${text}\n`)
    .join(`\n${'-'.repeat(80)}\n\n`)
}
