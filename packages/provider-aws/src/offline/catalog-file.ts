import { gunzipSync } from 'node:zlib'
import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { catalogueOf, type Catalogue } from '../instance-types/index.ts'
import { catalogBytes } from './catalog-bytes.ts'

/** Where figures come from. */
export interface FigureSource {
  readonly from: string
  readonly license: string
  /** Of what day the figures are, as YYYY-MM-DD. */
  readonly date: string
}

/** The catalogue that comes with the package, as its file has it; `tools/aws-catalog.ts` writes it. */
export interface CatalogFile {
  readonly version: 1
  readonly sources: Readonly<Record<'types' | 'offerings' | 'prices', FigureSource>>
  readonly types: ReadonlyArray<InstanceTypeInfo>
  readonly regions: Readonly<Record<string, RegionInFile>>
  /** **Units**: US dollars per hour; the same in all regions. Made up: see their source. */
  readonly prices: {
    readonly onDemand: Readonly<Record<string, number>>
    /** What spot costs of that, from 0 to 1. */
    readonly spotShare: number
  }
}

interface RegionInFile {
  readonly zones: ReadonlyArray<string>
  /** By type: a bit for each of the zones in which it is sold. */
  readonly sold: Readonly<Record<string, number>>
}

let read: CatalogFile | undefined

/** Reads the file, once in a process. Cost: 30 ms. Errors: throws where the installation lacks it. */
export const readCatalogFile = (): CatalogFile =>
  (read ??= JSON.parse(gunzipSync(catalogBytes()).toString()) as CatalogFile)

/** The catalogue of a region; `undefined` where the file knows none. */
export const catalogueOfRegion = ({ types, regions }: CatalogFile, region: string): Catalogue | undefined => {
  const found = Object.hasOwn(regions, region) ? regions[region] : undefined
  if (found === undefined) return undefined
  const soldAt = Object.entries(found.sold).flatMap(([type, bits]) =>
    found.zones.flatMap((zone, index) => ((bits >> index) & 1 ? [{ type, zone }] : [])),
  )
  const sold = new Set(Object.keys(found.sold))
  return catalogueOf(
    types.filter(({ InstanceType }) => sold.has(String(InstanceType))),
    soldAt,
  )
}
