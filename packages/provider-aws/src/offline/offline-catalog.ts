import type { InstanceType } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { createInstanceTypes } from '../instance-types/index.ts'
import { readKubelet } from '../kubelet/index.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import { awsSettings } from '../settings.ts'
import { catalogueOfRegion, readCatalogFile, type FigureSource } from './catalog-file.ts'
import { plainClass, resolvedOffline } from './offline-class.ts'
import { broughtPrices, syntheticPrices } from './offline-prices.ts'
import { readPriceExport } from './price-export.ts'

/** Instance types without an account, and what output has to say of them. */
export interface OfflineCatalog {
  /**
   * The types as an EC2NodeClass sees them, or one of AL2023 that leaves everything open.
   *
   * Errors: a sentence, such as for kubelet settings that cannot be read.
   */
  readonly typesOf: (nodeClass?: Ec2NodeClass) => E.Either<string, ReadonlyArray<InstanceType>>
  readonly sources: Readonly<Record<'types' | 'offerings', FigureSource>> & { readonly prices: PriceSource }
  /** Sentences that belong beside whatever is made of the types. */
  readonly notes: ReadonlyArray<string>
}

/** Where prices come from: the file that ships with the package, or one of the user's. */
export type PriceSource =
  (FigureSource & { readonly isSynthetic: true }) | { readonly from: string; readonly isSynthetic: false }

/**
 * The types of a region, from the catalogue that comes with the package.
 *
 * `priceExport` is the text of the user's own prices; types that it leaves out have none and are not bought.
 *
 * Errors: a sentence: a region that the catalogue does not know, a price export that cannot be read.
 */
export const offlineCatalog = (
  region: string,
  priceExport?: { readonly name: string; readonly text: string },
): E.Either<string, OfflineCatalog> => {
  const file = readCatalogFile()
  const catalogue = catalogueOfRegion(file, region)
  if (catalogue === undefined)
    return E.left(
      `Cannot plan for region ${JSON.stringify(region)}: the catalogue knows ${Object.keys(file.regions).join(', ')}`,
    )
  const read = priceExport === undefined ? undefined : readPriceExport(priceExport.text, region)
  if (read !== undefined && E.isLeft(read))
    return E.left(`Cannot read prices from ${priceExport?.name ?? ''}: ${read.left}`)
  const prices =
    read === undefined
      ? syntheticPrices(file, catalogue)
      : broughtPrices(read.right, catalogue, priceExport?.name ?? '')
  const instanceTypes = createInstanceTypes({
    region,
    vmMemoryOverheadPercent: awsSettings.fields.vmMemoryOverheadPercent.default ?? 0,
    reservedEnis: awsSettings.fields.reservedEnis.default ?? 0,
    // Whoever writes an expression has the gate open.
    allowsExpressions: true,
    usesReservations: false,
  })
  const { types, offerings } = file.sources
  const priceSource: PriceSource =
    read === undefined ? { ...file.sources.prices, isSynthetic: true } : { from: prices.source, isSynthetic: false }
  return E.right({
    typesOf: (nodeClass = plainClass()) =>
      pipe(
        readKubelet(nodeClass.spec.kubelet),
        E.chain(() =>
          pipe(
            instanceTypes.of({
              nodeClass: resolvedOffline(nodeClass, catalogue.zones),
              catalogue,
              prices,
              shiftedZoneIds: new Set(),
              exhaustedSubnetIds: new Set(),
              reservationCounts: new Map(),
            }),
            E.mapLeft(({ message }) => message),
          ),
        ),
      ),
    sources: { types, offerings, prices: priceSource },
    notes: [
      `Types and zones of ${region}: ${types.from}, ${types.license}, of ${types.date}`,
      priceSource.isSynthetic
        ? `PRICES ARE SYNTHETIC: ${priceSource.from}, of ${priceSource.date}; bring your own with --prices FILE`
        : `Prices: ${priceSource.from}; types without one there are not bought`,
      'Subnets are taken to be in every zone, and images to be there for what their alias or family has',
    ],
  })
}
