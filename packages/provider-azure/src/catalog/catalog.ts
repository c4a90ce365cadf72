import type { InstanceType, ProviderError } from '@scantling/core'
import { fingerprint, stable } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import {
  discoverSkus,
  instanceTypeOf,
  problemWithSku,
  type ResourceSku,
  type Sku,
  type SkuDiscovery,
  type TypeSettings,
} from '../instance-types/index.ts'
import { sharedRequirements } from '../labels/index.ts'
import {
  hasLocalDns,
  hasTrustedLaunch,
  isFips,
  installsGpuDriver,
  maxPodsOf,
  type AksNodeClass,
} from '../node-class/index.ts'
import { offeringsOf } from '../offerings/index.ts'
import { estimatedPrices, readPrices, updatedPrices, type Prices, type RetailPrice } from '../pricing/index.ts'
import { afterReading, readUsages, unknownUsages, type UsageRow, type Usages } from '../quota/index.ts'

/** What Azure sells in the region, at what price, and how much of it the subscription may still have. */
export interface Catalog {
  /** Takes a list of SKUs. Errors: Left when no node could be of any; what was known stays. */
  readonly takeSkus: (rows: ReadonlyArray<ResourceSku>) => E.Either<ProviderError, SkuDiscovery>
  /** Takes a price list, whole. */
  readonly takePrices: (rows: ReadonlyArray<RetailPrice>) => void
  /** Takes a list of quotas; `undefined`: it could not be read. */
  readonly takeUsages: (rows: ReadonlyArray<UsageRow> | undefined, nowMs: number) => void
  readonly sku: (name: string) => Sku | undefined
  readonly usages: () => Usages | undefined
  /**
   * Every type that nodes of the class can be of, by name.
   *
   * While nothing changed: the same array and the same types. Where quota or price of some changed, those alone are new.
   * Errors: Left before the first list of SKUs.
   */
  readonly instanceTypes: (
    nodeClass: AksNodeClass,
    kubernetesVersion: string,
  ) => E.Either<ProviderError, ReadonlyArray<InstanceType>>
}

interface Source {
  readonly sku: Sku
  readonly prices: Prices
  readonly usages: Usages | undefined
}

interface Built {
  readonly discovery: SkuDiscovery
  readonly prices: Prices
  readonly usages: Usages | undefined
  readonly types: ReadonlyArray<InstanceType>
}

interface List {
  readonly next: (sources: ReadonlyArray<Source>) => ReadonlyArray<InstanceType>
  built: Built | undefined
}

// One list for each way that classes differ; beyond this, those not asked for longest are made anew.
const mostLists = 32

/** A catalogue that starts empty. Readers see one list or the next, never half of one (W-34). */
export const createCatalog = (settings: TypeSettings): Catalog => {
  const region = settings.location
  let discovery: SkuDiscovery | undefined
  let byName: ReadonlyMap<string, Sku> = new Map()
  let prices: Prices = { onDemand: new Map(), spot: new Map() }
  let hasPriceList = false
  let quota = unknownUsages
  const lists = new Map<string, List>()
  // Few label values are ever new, so this grows with what Azure sells and no further.
  const share = sharedRequirements()

  const listFor = (nodeClass: AksNodeClass, kubernetesVersion: string): List => {
    const key = keyOf(nodeClass, kubernetesVersion, settings)
    const list: List = lists.get(key) ?? {
      built: undefined,
      ...stable<Source, InstanceType>({
        keyOf: ({ sku }) => sku.name,
        fingerprintOf: (source) => fingerprintOf(source),
        make: ({ sku, prices: at, usages }) =>
          instanceTypeOf(
            sku,
            offeringsOf(sku, region, { prices: at, usages }, share),
            nodeClass,
            settings,
            kubernetesVersion,
            share,
          ),
      }),
    }
    lists.delete(key)
    lists.set(key, list)
    for (const oldest of lists.keys()) {
      if (lists.size <= mostLists) break
      lists.delete(oldest)
    }
    return list
  }

  return {
    takeSkus: (rows) => {
      const found = discoverSkus(rows, region)
      if (E.isLeft(found)) return E.left({ _tag: 'Unknown', message: found.left })
      const isSame = discovery !== undefined && JSON.stringify(discovery.skus) === JSON.stringify(found.right.skus)
      if (!isSame) {
        discovery = found.right
        byName = new Map(discovery.skus.map((sku) => [sku.name, sku]))
        if (!hasPriceList) prices = estimatedPrices(discovery.skus)
      }
      return found
    },
    takePrices: (rows) => {
      const fetched = readPrices(rows)
      if (fetched.onDemand.size === 0 && fetched.spot.size === 0) return
      prices = updatedPrices(prices, fetched)
      hasPriceList = true
    },
    takeUsages: (rows, nowMs) => {
      quota = afterReading(quota, rows && readUsages(rows), nowMs)
    },
    sku: (name) => byName.get(name),
    usages: () => quota.usages,
    instanceTypes: (nodeClass, kubernetesVersion) => {
      if (discovery === undefined)
        return E.left({
          _tag: 'Unknown',
          message: `The VM sizes of region ${region} are not known yet`,
          retryAfterMs: 1000,
        })
      const list = listFor(nodeClass, kubernetesVersion)
      const { usages } = quota
      const { built } = list
      if (built?.discovery === discovery && built.prices === prices && built.usages === usages)
        return E.right(built.types)
      const types = list.next(
        discovery.skus.flatMap((sku) =>
          problemWithSku(sku, nodeClass) === undefined ? [{ sku, prices, usages }] : [],
        ),
      )
      list.built = { discovery, prices, usages, types }
      return E.right(types)
    },
  }
}

// What a type is made from, beside the class: itself, its price, and what is left of its quota.
const fingerprintOf = ({ sku, prices, usages }: Source): string =>
  JSON.stringify([
    sku,
    prices.onDemand.get(sku.name) ?? null,
    prices.spot.get(sku.name) ?? null,
    usages?.get(sku.quotaFamily.toLowerCase()) ?? null,
  ])

// What of a class the types depend on (Z-IT-07); classes that agree in it share their types.
const keyOf = (nodeClass: AksNodeClass, kubernetesVersion: string, settings: TypeSettings): string =>
  fingerprint({
    imageFamily: nodeClass.spec.imageFamily,
    osDiskSizeGb: nodeClass.spec.osDiskSizeGB,
    maxPods: maxPodsOf(nodeClass, settings),
    encryptionAtHost: nodeClass.spec.security?.encryptionAtHost === true,
    trustedLaunch: hasTrustedLaunch(nodeClass),
    gpuDriver: installsGpuDriver(nodeClass),
    artifactStreaming: nodeClass.spec.artifactStreaming?.enabled === true,
    fips: isFips(nodeClass),
    localDns: hasLocalDns(nodeClass),
    images: (nodeClass.status.images ?? []).map(({ id }) => id),
    kubernetesVersion,
  })
