import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleProvider, bundledProviders, isBundledProvider, outputs } from './bundle-provider.ts'
import { packagesOf, renderLicences, renderSbom } from './sbom.ts'

/*
 * `npm run bundle [-- aws azure kwok]`: one self-contained file for each provider, `dist/scantling-controller-<provider>.mjs`,
 * which needs Node 24 and nothing else, and beside it what is inside: a bill of materials and the licences.
 */
const named = process.argv.slice(2)
const unknown = named.filter((name) => !isBundledProvider(name))
if (unknown.length > 0) {
  process.stderr.write(`Cannot bundle ${unknown.join(', ')}: there are ${bundledProviders.join(', ')}\n`)
  process.exit(2)
}
mkdirSync(outputs, { recursive: true })
for (const name of bundledProviders.filter((each) => named.length === 0 || named.includes(each))) {
  const { file, metafile } = await bundleProvider(name)
  const packages = packagesOf(metafile)
  const stem = join(outputs, `scantling-controller-${name}`)
  writeFileSync(`${stem}.cdx.json`, renderSbom(name, packages, readFileSync(file)))
  writeFileSync(`${stem}.licences.txt`, renderLicences(packages))
  process.stdout.write(
    `dist/scantling-controller-${name}.mjs ${Math.round(statSync(file).size / 1024)} KB, ${packages.length} packages\n`,
  )
}
