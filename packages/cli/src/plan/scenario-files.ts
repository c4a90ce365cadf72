import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { decodeCatalog, renderFieldError, type ExpectedProvision, type ScenarioCatalog } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { gunzipSync } from 'node:zlib'

/** A scenario with what the reference answers to it. */
export interface Vector {
  readonly scenario: { readonly name: string; readonly family: string; readonly kind: 'provision' | 'disrupt' }
  readonly expected: ExpectedProvision & { readonly failure?: string }
}

/**
 * Looks up catalogues by name in a directory, `NAME.json` or `NAME.json.gz`, each read once.
 *
 * Errors: throws for a file that is there but is no catalogue; a name without a file is `undefined`.
 */
export const catalogsIn = (directory: string): ((name: string) => ScenarioCatalog | undefined) => {
  const read = new Map<string, ScenarioCatalog | undefined>()
  return (name) => {
    if (!read.has(name)) read.set(name, readCatalogFile(join(directory, `${name}.json`)))
    return read.get(name)
  }
}

const readCatalogFile = (file: string): ScenarioCatalog | undefined => {
  const packed = `${file}.gz`
  if (!existsSync(file) && !existsSync(packed)) return undefined
  const text = existsSync(file) ? readFileSync(file, 'utf8') : gunzipSync(readFileSync(packed)).toString('utf8')
  const decoded = decodeCatalog(JSON.parse(text))
  if (E.isRight(decoded)) return decoded.right
  throw new Error(`Cannot read catalogue ${file}: ${decoded.left.slice(0, 3).map(renderFieldError).join('; ')}`)
}

/** The vectors of one family, one a line of `<family>.jsonl.gz`. */
export const readVectors = (directory: string, family: string): ReadonlyArray<Vector> =>
  gunzipSync(readFileSync(join(directory, `${family}.jsonl.gz`)))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Vector)
