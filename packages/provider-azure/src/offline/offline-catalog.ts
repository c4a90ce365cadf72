import { decoderOf, labelKeys, type FieldErrors, type InstanceType } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { createCatalog } from '../catalog/index.ts'
import { imageDefinitionsOf } from '../image/index.ts'
import { internalLabelKeys } from '../labels/index.ts'
import { aksNodeClass, type AksNodeClass } from '../node-class/index.ts'
import { azureSettings } from '../settings.ts'
import { pricesOfRegion, readCatalogFile, skusOfRegion, type FigureSource } from './catalog-file.ts'
import { readPriceExport } from './price-export.ts'

/** Instance types without an account, and what output has to say of them. */
export interface OfflineCatalog {
  /**
   * The types as an AKSNodeClass sees them, or one that leaves everything open.
   *
   * Errors: a sentence.
   */
  readonly typesOf: (nodeClass?: AksNodeClass) => E.Either<string, ReadonlyArray<InstanceType>>
  readonly sources: Readonly<Record<'types' | 'zones' | 'capabilities', FigureSource>> & {
    readonly prices: PriceSource
  }
  /** Sentences that belong beside whatever is made of the types. */
  readonly notes: ReadonlyArray<string>
}

/** Where prices come from: the file that ships with the package, or one of the user's. */
export type PriceSource =
  (FigureSource & { readonly isSynthetic: false }) | { readonly from: string; readonly isSynthetic: false }

// What a class resolves to where there is no cluster to ask.
const kubernetesVersion = '1.34.0'

/**
 * The types of a region, from the catalogue that comes with the package.
 *
 * `priceExport` is the text of the user's own prices; types that it leaves out are dearer than all others.
 *
 * Errors: a sentence: a region that the catalogue does not know, a price export that cannot be read.
 */
export const offlineCatalog = (
  region: string,
  priceExport?: { readonly name: string; readonly text: string },
): E.Either<string, OfflineCatalog> => {
  const file = readCatalogFile()
  const skus = skusOfRegion(file, region)
  if (skus === undefined)
    return E.left(
      `Cannot plan for region ${JSON.stringify(region)}: the catalogue knows ${Object.keys(file.regions).join(', ')}`,
    )
  const brought = priceExport && readPriceExport(priceExport.text)
  if (brought !== undefined && E.isLeft(brought))
    return E.left(`Cannot read prices from ${priceExport?.name ?? ''}: ${brought.left}`)
  const catalog = createCatalog({
    location: region,
    networkPlugin: 'azure',
    networkPluginMode: 'overlay',
    nodeResourceGroup: 'offline',
    provisionMode: 'aksscriptless',
    vmMemoryOverheadPercent: azureSettings.fields.vmMemoryOverheadPercent.default ?? 0,
  })
  const taken = catalog.takeSkus(skus)
  if (E.isLeft(taken)) return E.left(taken.left.message)
  catalog.takePrices(brought === undefined ? pricesOfRegion(file, region) : brought.right)
  const { types, zones, capabilities, prices } = file.sources
  const priceSource: PriceSource =
    brought === undefined ? { ...prices, isSynthetic: false } : { from: priceExport?.name ?? '', isSynthetic: false }
  return E.right({
    typesOf: (nodeClass = plainClass()) =>
      pipe(
        catalog.instanceTypes(resolvedOffline(nodeClass), nodeClass.status.kubernetesVersion ?? kubernetesVersion),
        E.mapLeft(({ message }) => message),
      ),
    sources: { types, zones, capabilities, prices: priceSource },
    notes: [
      `Types of ${region}: ${types.from}, ${types.license}, of ${types.date}`,
      brought === undefined
        ? `Prices on demand: ${prices.from}, ${prices.license}, of ${prices.date}; spot is priced as on-demand: bring your own with --prices FILE`
        : `Prices: ${priceSource.from}; types without one there are taken last`,
      `Zones: ${zones.from}. Capabilities: ${capabilities.from}; local and ultra disks are left out`,
      'Quotas are taken to be large enough, and images to be there for what their family has',
    ],
  })
}

const decode = decoderOf(aksNodeClass.versions[0].schema)

/** A manifest as an AKSNodeClass, by its schema and all of its rules. */
export const decodeAksNodeClass = (manifest: unknown): E.Either<FieldErrors, AksNodeClass> => decode(manifest)

/** A class that leaves everything open, for NodePools whose class is not of AKS. */
const plainClass = (): AksNodeClass => {
  const decoded = decode({ metadata: { name: 'plain' }, spec: {} })
  if (E.isLeft(decoded)) throw new Error(JSON.stringify(decoded.left))
  return decoded.right
}

/** The class with a status, as far as one can be told without an account. What is there stays. */
const resolvedOffline = (nodeClass: AksNodeClass): AksNodeClass => {
  const { status } = nodeClass
  const version = status.kubernetesVersion ?? kubernetesVersion
  return {
    ...nodeClass,
    status: {
      ...status,
      kubernetesVersion: version,
      images:
        status.images ??
        // Of the shared galleries, which have what the others have and FIPS.
        imageDefinitionsOf(nodeClass, version, true).map(({ name, arch, hyperVGeneration }) => ({
          id: `/CommunityGalleries/offline/images/${name}/versions/1`,
          requirements: [
            { key: labelKeys.arch, operator: 'In', values: [arch] },
            { key: internalLabelKeys.hyperVGeneration, operator: 'In', values: [hyperVGeneration] },
          ],
        })),
    },
  }
}
