import { readFileSync } from 'node:fs'

import { renderFieldError, type InstanceType, type JsonObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

import { placeOf, type Manifest } from '../manifests/read-manifests.ts'
import type { Catalog } from './plan-manifests.ts'

/**
 * EC2's types in a region as the EC2NodeClasses of the manifests see them; NodePools of other classes see them as a plain
 * class does.
 *
 * Left: a sentence: an unknown region, prices that cannot be read.
 */
export const awsCatalog = async (
  region: string,
  pricesFile: string | undefined,
  nodeClasses: ReadonlyArray<Manifest>,
): Promise<E.Either<string, Catalog>> => {
  const prices = pricesFile === undefined ? undefined : readPrices(pricesFile)
  if (prices !== undefined && E.isLeft(prices)) return prices
  // Loaded here and not before: other catalogues should not pay for it.
  const { awsLabelPolicy, decodeEc2NodeClass, ec2NodeClass, offlineCatalog } = await import('@scantling/provider-aws')
  const offline = offlineCatalog(region, prices?.right)
  if (E.isLeft(offline)) return offline
  const { typesOf, notes, sources } = offline.right
  const problems: Array<string> = []
  const byClass = new Map<string, ReadonlyArray<InstanceType> | undefined>()
  for (const manifest of nodeClasses.filter(({ object }) => object['kind'] === ec2NodeClass.kind)) {
    const decoded = decodeEc2NodeClass(manifest.object)
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
    policy: awsLabelPolicy,
    typesOf: ({ nodeClass }) =>
      nodeClass.group === ec2NodeClass.group && byClass.has(nodeClass.name)
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
