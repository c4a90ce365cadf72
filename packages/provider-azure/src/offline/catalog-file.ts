import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { ResourceSku } from '../instance-types/index.ts'
import type { RetailPrice } from '../pricing/index.ts'

/** Where figures come from. */
export interface FigureSource {
  readonly from: string
  /** `facts`: there is no one to license them. */
  readonly license: string
  /** Of what day the figures are, as YYYY-MM-DD. */
  readonly date: string
}

/** The catalogue that comes with the package, as its file has it; `tools/azure-catalog.ts` writes it. */
export interface CatalogFile {
  readonly version: 1
  readonly sources: Readonly<Record<'types' | 'zones' | 'prices' | 'capabilities', FigureSource>>
  readonly types: ReadonlyArray<TypeInFile>
  readonly regions: Readonly<Record<string, RegionInFile>>
}

export interface TypeInFile {
  readonly name: string
  readonly family: string
  readonly vCpus: number
  readonly memoryMib: number
  readonly gpus: number
  readonly arch: 'amd64' | 'arm64'
}

interface RegionInFile {
  readonly zones: ReadonlyArray<string>
  /** On demand, per hour in US dollars; what has none is not sold there. */
  readonly prices: Readonly<Record<string, number>>
}

// Beside the sources or beside what is built from them; a bundle keeps it next to itself.
const places = ['../../data/catalog.json.gz', './catalog.json.gz'].map((place) =>
  fileURLToPath(new URL(place, import.meta.url)),
)

let read: CatalogFile | undefined

/** Reads the file, once in a process. Cost: 20 ms. Errors: throws where the installation lacks it. */
export const readCatalogFile = (): CatalogFile => {
  if (read !== undefined) return read
  const place = places.find((one) => existsSync(one))
  if (place === undefined) throw new Error(`Cannot read the catalogue of Azure: there is no ${places.join(' and no ')}`)
  read = JSON.parse(gunzipSync(readFileSync(place)).toString()) as CatalogFile
  return read
}

/** The list of SKUs of a region, as far as it can be told; `undefined` where the file knows no such region. */
export const skusOfRegion = (
  { types, regions }: CatalogFile,
  region: string,
): ReadonlyArray<ResourceSku> | undefined => {
  const found = Object.hasOwn(regions, region) ? regions[region] : undefined
  return (
    found && types.filter(({ name }) => Object.hasOwn(found.prices, name)).map((type) => skuOf(type, found, region))
  )
}

/** The price list of a region. There are no prices of spot in the file. */
export const pricesOfRegion = ({ regions }: CatalogFile, region: string): ReadonlyArray<RetailPrice> =>
  Object.entries(regions[region]?.prices ?? {}).map(([armSkuName, retailPrice]) => ({ armSkuName, retailPrice }))

/**
 * A row of the list of SKUs.
 *
 * Capabilities follow Azure's rules for names of sizes: `s` has premium storage, `p` is ARM64, version 6 and ARM64 boot
 * generation 2 alone, series A and B are not sold as spot. What a name does not tell (local disks, ultra disks) is left
 * out, so that plans claim too little rather than too much.
 *
 * Source: https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions
 */
const skuOf = (type: TypeInFile, { zones }: RegionInFile, location: string): ResourceSku => {
  const size = type.name.replace(/^Standard_/, '')
  const [, series = '', features = '', version = '1'] =
    /^([A-Z]+)\d+(?:-\d+)?([a-z]*)(?:_[A-Za-z0-9]+)*?(?:_v(\d+))?$/.exec(size) ?? []
  const isModern = Number(version) >= 6 || type.arch === 'arm64'
  const isSpot = series !== 'A' && series !== 'B'
  const capabilities = {
    vCPUs: String(type.vCpus),
    MemoryGB: String(type.memoryMib / 1024),
    ...(type.gpus > 0 && { GPUs: String(type.gpus) }),
    CpuArchitectureType: type.arch === 'arm64' ? 'Arm64' : 'x64',
    HyperVGenerations: isModern ? 'V2' : 'V1,V2',
    PremiumIO: features.includes('s') ? 'True' : 'False',
    AcceleratedNetworkingEnabled: Number(version) >= 3 ? 'True' : 'False',
    EncryptionAtHostSupported: 'True',
    LowPriorityCapable: isSpot ? 'True' : 'False',
  }
  return {
    resourceType: 'virtualMachines',
    name: type.name,
    size,
    family: type.family,
    capabilities: Object.entries(capabilities).map(([name, value]) => ({ name, value })),
    locationInfo: [{ location, zones }],
    restrictions: [],
  }
}
