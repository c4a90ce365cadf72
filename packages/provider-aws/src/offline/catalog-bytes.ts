import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Beside the sources or beside what is built from them. A bundle has no files: `deploy/bundle-provider.ts` puts another
// module in the place of this one, which holds the bytes.
const places = ['../../data/catalog.json.gz', './catalog.json.gz'].map((place) =>
  fileURLToPath(new URL(place, import.meta.url)),
)

/** The catalogue that comes with the package, compressed. Errors: throws where the installation lacks it. */
export const catalogBytes = (): Uint8Array => {
  const place = places.find((one) => existsSync(one))
  if (place === undefined) throw new Error(`Cannot read the catalogue of EC2: there is no ${places.join(' and no ')}`)
  return readFileSync(place)
}
