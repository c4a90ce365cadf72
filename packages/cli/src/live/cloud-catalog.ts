import { readCatalog, type CatalogPage } from '@scantling/provider-kwok'
import type { InstanceType } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

/** The types that the simulated cloud sells now, at the prices of now. Left: a sentence. */
export const fetchCatalog = async (cloud: string): Promise<E.Either<string, ReadonlyArray<InstanceType>>> => {
  try {
    const response = await fetch(`${cloud}/catalog`)
    const { entries } = (await response.json()) as CatalogPage
    const read = readCatalog(entries)
    return E.isLeft(read) ? E.left(read.left.join('; ')) : read
  } catch {
    return E.left(`Cannot ask the simulated cloud at ${cloud} for its prices: nothing answers there`)
  }
}
