import type { InstanceType, LabelPolicy } from '@scantling/core'
import { coreLabelKnowledge } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { azureLike } from './azure-like.ts'
import type { CatalogEntry } from './catalog-entry.ts'
import { ec2Like } from './ec2-like.ts'
import { kwokGroup } from './kwok-labels.ts'
import { kwokSizes } from './kwok-sizes.ts'
import { readCatalog } from './read-catalog.ts'

/** The catalogues that need no file. */
export const catalogNames = ['ec2-like', 'azure-like', 'kwok'] as const
export type CatalogName = (typeof catalogNames)[number]

export const isCatalogName = (name: string): name is CatalogName => catalogNames.some((known) => known === name)

/**
 * A catalogue in the format of its JSON file, made by formula; equal arguments give equal catalogues.
 *
 * - `ec2-like`: more than 700 types, four zones, spot and on-demand, with the labels of `karpenter.k8s.aws`.
 * - `azure-like`: more than 200 types, three zones, with the labels of `karpenter.azure.com`.
 * - `kwok`: the 144 types of the reference's kwok provider.
 *
 * `seed` moves spot prices only.
 *
 * Cost: a few milliseconds.
 *
 * @example
 * generateCatalog('ec2-like').find(({ name }) => name === 'c7g.2xlarge')?.resources['pods'] // => '58'
 */
export const generateCatalog = (name: CatalogName, seed = 'scantling'): ReadonlyArray<CatalogEntry> => {
  switch (name) {
    case 'ec2-like':
      return ec2Like(seed)
    case 'azure-like':
      return azureLike(seed)
    case 'kwok':
      return kwokSizes()
  }
}

const generated = new Map<CatalogName, ReadonlyArray<InstanceType>>()

/** The types of a generated catalogue; the same array each time, as planners compile by identity. */
export const catalogTypes = (name: CatalogName): ReadonlyArray<InstanceType> => {
  const present = generated.get(name)
  if (present !== undefined) return present
  const read = readCatalog(generateCatalog(name))
  if (E.isLeft(read)) throw new Error(`Expected catalogue ${name} to be well formed: ${read.left.join('; ')}`)
  generated.set(name, read.right)
  return read.right
}

/**
 * The label policy that follows from a catalogue: every key that its types or offerings define is well known (K-04).
 *
 * The domain of the kwok provider is closed to users beyond those keys.
 */
export const labelPolicyOf = (types: ReadonlyArray<InstanceType>): LabelPolicy => {
  const keys = new Set<string>()
  for (const type of types) {
    for (const key of type.requirements.byKey.keys()) keys.add(key)
    for (const offering of type.offerings) for (const key of offering.requirements.byKey.keys()) keys.add(key)
  }
  return {
    wellKnown: [...keys].filter((key) => !coreLabelKnowledge.wellKnown.has(key)).map((key) => ({ key })),
    restricted: [kwokGroup],
  }
}
