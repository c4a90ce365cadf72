import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { everyPage, type AwsError, type AwsPorts } from '../sdk/index.ts'
import { hasPriceList, onDemandQueries, readPriceList } from './on-demand.ts'
import { initialPrices, withOnDemand, withSpot, type Prices, type ShippedPrices } from './prices.ts'
import { readSpotPrices, spotQuery } from './spot.ts'

/** The prices of a region, as they were last read. */
export interface PriceBook {
  /** The same object until a refresh brings other prices. */
  readonly prices: () => Prices
  /** Errors: Left where the list cannot be read or says nothing; what is known stays (A-PRC-03). */
  readonly refreshOnDemand: (signal: CancelSignal) => Promise<E.Either<AwsError, void>>
  readonly refreshSpot: (signal: CancelSignal) => Promise<E.Either<AwsError, void>>
}

/** A price book that begins with the shipped prices. */
export const createPriceBook = (options: {
  readonly ports: Pick<AwsPorts, 'region' | 'ec2' | 'pricing'>
  readonly shipped: ShippedPrices
  readonly isIsolated: boolean
  readonly nowMs: () => number
}): PriceBook => {
  const { ports, shipped, isIsolated, nowMs } = options
  let prices = initialPrices(shipped, ports.region)
  return {
    prices: () => prices,
    refreshOnDemand: async (signal) => {
      if (!hasPriceList(ports.region, isIsolated)) return E.right(undefined)
      const answers = await Promise.all(
        onDemandQueries(ports.region).map((query) =>
          everyPage(ports.pricing.getProducts, query, signal, ({ PriceList }) => PriceList)(),
        ),
      )
      const found = new Map<string, number>()
      for (const answer of answers) {
        if (E.isLeft(answer)) return answer
        const page = readPriceList(answer.right, ports.region)
        if (page.size === 0) return E.left(emptyAnswer('pricing:GetProducts', 'the price list'))
        for (const [type, price] of page) found.set(type, price)
      }
      const isFirst = prices.onDemandAtMs === undefined
      const before =
        isFirst && shipped.isSynthetic === true ? { ...prices, onDemand: new Map<string, number>() } : prices
      prices = withOnDemand(before, found, nowMs())
      return E.right(undefined)
    },
    refreshSpot: async (signal) => {
      const history = await everyPage(
        ports.ec2.describeSpotPriceHistory,
        spotQuery(nowMs()),
        signal,
        ({ SpotPriceHistory }) => SpotPriceHistory,
      )()
      if (E.isLeft(history)) return history
      const found = readSpotPrices(history.right)
      if (found.size === 0) return E.left(emptyAnswer('ec2:DescribeSpotPriceHistory', 'the history of spot prices'))
      prices = withSpot(prices, found, nowMs())
      return E.right(undefined)
    },
  }
}

const emptyAnswer = (action: string, what: string): AwsError => ({
  action,
  code: 'EmptyAnswer',
  message: `Cannot read prices: ${what} has no price in it`,
})
