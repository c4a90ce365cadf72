import { readFileSync } from 'node:fs'

import {
  renderFieldError,
  type FieldErrors,
  type InstanceType,
  type JsonObject,
  type LabelPolicy,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

import { placeOf, type Manifest } from '../manifests/read-manifests.ts'
import type { Catalog } from './plan-manifests.ts'

/** The clouds whose catalogue comes with their provider. */
export const clouds = ['aws', 'azure'] as const

export type Cloud = (typeof clouds)[number]

interface Offline<C> {
  readonly typesOf: (nodeClass?: C) => E.Either<string, ReadonlyArray<InstanceType>>
  readonly notes: ReadonlyArray<string>
  readonly sources: object
}

/** What of a provider is wanted here. */
interface CatalogProvider<C> {
  readonly nodeClass: { readonly group: string; readonly kind: string }
  readonly policy: LabelPolicy
  readonly decode: (manifest: unknown) => E.Either<FieldErrors, C>
  readonly catalog: (
    region: string,
    prices?: { readonly name: string; readonly text: string },
  ) => E.Either<string, Offline<C>>
}

/**
 * A cloud's types in a region as the NodeClasses of the manifests see them; NodePools of other classes see them as a
 * plain class does.
 *
 * Left: a sentence: an unknown region, prices that cannot be read.
 */
export const cloudCatalog = async (
  cloud: Cloud,
  region: string,
  pricesFile: string | undefined,
  nodeClasses: ReadonlyArray<Manifest>,
): Promise<E.Either<string, Catalog>> => {
  const prices = pricesFile === undefined ? undefined : readPrices(pricesFile)
  if (prices !== undefined && E.isLeft(prices)) return prices
  const wanted = { region, nodeClasses, ...(prices !== undefined && { prices: prices.right }) }
  // Loaded here and not before: other catalogues should not pay for it.
  if (cloud === 'aws') {
    const { awsLabelPolicy, decodeEc2NodeClass, ec2NodeClass, offlineCatalog } = await import('@scantling/provider-aws')
    return catalogOf(
      { nodeClass: ec2NodeClass, policy: awsLabelPolicy, decode: decodeEc2NodeClass, catalog: offlineCatalog },
      wanted,
    )
  }
  const { aksNodeClass, azureLabelPolicy, decodeAksNodeClass, offlineCatalog } =
    await import('@scantling/provider-azure')
  return catalogOf(
    { nodeClass: aksNodeClass, policy: azureLabelPolicy, decode: decodeAksNodeClass, catalog: offlineCatalog },
    wanted,
  )
}

const catalogOf = <C extends { readonly metadata: { readonly name: string } }>(
  provider: CatalogProvider<C>,
  wanted: {
    readonly region: string
    readonly prices?: { readonly name: string; readonly text: string }
    readonly nodeClasses: ReadonlyArray<Manifest>
  },
): E.Either<string, Catalog> => {
  const offline = provider.catalog(wanted.region, wanted.prices)
  if (E.isLeft(offline)) return offline
  const { typesOf, notes, sources } = offline.right
  const problems: Array<string> = []
  const byClass = new Map<string, ReadonlyArray<InstanceType> | undefined>()
  for (const manifest of wanted.nodeClasses.filter(({ object }) => object['kind'] === provider.nodeClass.kind)) {
    const decoded = provider.decode(manifest.object)
    if (E.isLeft(decoded)) {
      const { name } = (manifest.object['metadata'] ?? {}) as { readonly name?: string }
      byClass.set(name ?? '', undefined)
      problems.push(...decoded.left.map((error) => `${placeOf(manifest)}: ${renderFieldError(error)}`))
      continue
    }
    const types = typesOf(decoded.right)
    if (E.isLeft(types)) problems.push(`${placeOf(manifest)}: ${types.left}`)
    byClass.set(decoded.right.metadata.name, E.isRight(types) ? types.right : undefined)
  }
  let plain: ReadonlyArray<InstanceType> | undefined
  const plainTypes = () => (plain ??= E.getOrElse((): ReadonlyArray<InstanceType> => [])(typesOf()))
  return E.right({
    policy: provider.policy,
    typesOf: ({ nodeClass }) =>
      nodeClass.group === provider.nodeClass.group && byClass.has(nodeClass.name)
        ? byClass.get(nodeClass.name)
        : plainTypes(),
    problems,
    notes,
    sources: JSON.parse(JSON.stringify(sources)) as JsonObject,
  })
}

const readPrices = (file: string): E.Either<string, { readonly name: string; readonly text: string }> => {
  try {
    return E.right({ name: file, text: readFileSync(file, 'utf8') })
  } catch {
    return E.left(`Cannot read prices from ${file}: there is no such file`)
  }
}
