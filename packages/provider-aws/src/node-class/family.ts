import type { Ec2NodeClassSpec, ImageFamily } from './spec.ts'

/** An image alias in parts. */
export interface ImageAlias {
  readonly family: Exclude<ImageFamily, 'Custom'>
  /** `latest`, or a release of the family. */
  readonly version: string
}

const familyOfAlias: ReadonlyMap<string, ImageAlias['family']> = new Map([
  ['al2', 'AL2'],
  ['al2023', 'AL2023'],
  ['bottlerocket', 'Bottlerocket'],
  ['windows2019', 'Windows2019'],
  ['windows2022', 'Windows2022'],
  ['windows2025', 'Windows2025'],
])

/** The alias among the image selectors; there is at most one, and then nothing else. */
export const aliasOf = ({ amiSelectorTerms }: Pick<Ec2NodeClassSpec, 'amiSelectorTerms'>): ImageAlias | undefined => {
  for (const { alias } of amiSelectorTerms) {
    if (alias === undefined) continue
    // Versions are opaque, so all that follows the first sign belongs to them.
    const at = alias.indexOf('@')
    const family = familyOfAlias.get(alias.slice(0, at))
    if (at > 0 && family !== undefined) return { family, version: alias.slice(at + 1) }
  }
  return undefined
}

/** The image family: as named, else the alias's, else `Custom` (A-API-07). */
export const familyOf = (spec: Pick<Ec2NodeClassSpec, 'amiFamily' | 'amiSelectorTerms'>): ImageFamily =>
  spec.amiFamily ?? aliasOf(spec)?.family ?? 'Custom'
