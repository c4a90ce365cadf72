import type { CancelSignal, InstanceType, LabelPolicy, ProviderError } from '@scantling/core'
import { fingerprint, stable } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { labelPolicyOf, readCatalog, type CatalogEntry } from '../catalog/index.ts'
import type { KwokCloud } from '../cloud/index.ts'
import { providerErrorOf } from './error-codes.ts'

/** The types as last fetched. */
export interface CatalogCell {
  readonly types: () => ReadonlyArray<InstanceType>
  readonly labels: LabelPolicy
  /** Fetches what changed. Errors: those of the cloud; the types stay as they were. */
  readonly refresh: (signal: CancelSignal) => Promise<E.Either<ProviderError, 'Changed' | 'Unchanged'>>
}

/** Fetches the catalogue for the first time. Errors: those of the cloud, or what is wrong with its catalogue. */
export const loadCatalogCell = async (
  cloud: KwokCloud,
  signal: CancelSignal,
): Promise<E.Either<ProviderError, CatalogCell>> => {
  let version: string | undefined
  let types: ReadonlyArray<InstanceType> = []
  const made = new Map<string, InstanceType>()
  const keep = stable<CatalogEntry, InstanceType>({
    keyOf: ({ name }) => name,
    // The cloud writes the keys of an entry in one order, so its text will do: a canonical form costs ten times as much.
    fingerprintOf: (entry) => fingerprint(JSON.stringify(entry)),
    make: (entry) => made.get(entry.name) as InstanceType,
  })
  const refresh: CatalogCell['refresh'] = async (abort) => {
    const fetched = await cloud.catalog(version, abort)()
    if (E.isLeft(fetched)) return E.left(providerErrorOf(fetched.left))
    const { entries } = fetched.right
    if (entries === undefined) return E.right('Unchanged')
    const read = readCatalog(entries)
    if (E.isLeft(read))
      return E.left({
        _tag: 'Unknown',
        message: `The simulated cloud has a catalogue with ${read.left.length} mistakes: ${read.left[0] ?? ''}`,
      })
    for (const type of read.right) made.set(type.name, type)
    const before = types
    types = keep.next(entries)
    made.clear()
    version = fetched.right.version
    return E.right(before === types ? 'Unchanged' : 'Changed')
  }
  const first = await refresh(signal)
  if (E.isLeft(first)) return first
  return E.right({ types: () => types, labels: labelPolicyOf(types), refresh })
}
