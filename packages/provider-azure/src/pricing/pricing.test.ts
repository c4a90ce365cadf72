import { describe, expect, test } from '@jest/globals'
import { skuOf } from '../../test/builders.ts'
import {
  estimatedPrices,
  hasPriceList,
  missingPrice,
  priceListUrl,
  priceOf,
  priceRefreshMs,
  readPrices,
  updatedPrices,
  type Prices,
} from './index.ts'

const row = (armSkuName: string, retailPrice: number, changes: Readonly<Record<string, unknown>> = {}) => ({
  armSkuName,
  skuName: armSkuName,
  productName: 'Virtual Machines DSv3 Series',
  meterName: armSkuName,
  retailPrice,
  ...changes,
})

describe('prices', () => {
  test('Z-PRI-01: before there is a list, an order by size; spot costs the same', () => {
    const skus = [
      skuOf('Standard_D2s_v3'),
      skuOf('Standard_D8s_v3', { vCPUs: '8', MemoryGB: '32' }),
      skuOf('Standard_NC4as_T4_v3', { vCPUs: '4', GPUs: '1' }),
      skuOf('Standard_D2ps_v6', { CpuArchitectureType: 'Arm64' }),
    ]
    const estimated = estimatedPrices(skus)
    const costs = skus.map(({ name }) => priceOf(estimated, name).onDemand)
    expect(costs.every((price) => price > 0 && price < missingPrice)).toBe(true)
    expect([...costs].sort((a, b) => a - b)).toEqual([costs[3], costs[0], costs[1], costs[2]])
    expect(priceOf(estimated, 'Standard_D2s_v3').spot).toBe(costs[0])
  })

  test('Z-PRI-02: the address of the list', () => {
    const url = new URL(priceListUrl('westeurope'))
    expect(url.origin + url.pathname).toBe('https://prices.azure.com/api/retail/prices')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      'api-version': '2023-01-01-preview',
      $filter:
        "priceType eq 'Consumption' and currencyCode eq 'USD' and serviceFamily eq 'Compute' and serviceName eq 'Virtual Machines' and armRegionName eq 'westeurope'",
    })
  })

  test('Z-PRI-03: Linux machines, on demand and spot', () => {
    const prices = readPrices([
      row('Standard_D2s_v3', 0.1),
      row('Standard_D2s_v3', 0.2, { productName: 'Virtual Machines DSv3 Series Windows' }),
      row('Standard_D2s_v3', 0.03, { meterName: 'D2s v3 Low Priority' }),
      row('Standard_D2s_v3', 0.02, { skuName: 'D2s v3 Spot' }),
      row('', 1),
      row('Standard_D4s_v3', -1),
      { armSkuName: 'Standard_D8s_v3' },
    ])
    expect([[...prices.onDemand], [...prices.spot]]).toEqual([[['Standard_D2s_v3', 0.1]], [['Standard_D2s_v3', 0.02]]])
  })

  test('of several rows the primary meter wins, then the lowest tier, then the lowest price, in any order (W-13)', () => {
    const rows = [
      row('a', 0.3, { isPrimaryMeterRegion: true }),
      row('a', 0.1, { isPrimaryMeterRegion: false }),
      row('a', 0.2, { isPrimaryMeterRegion: true, tierMinimumUnits: 100 }),
      row('a', 0.4, { isPrimaryMeterRegion: true }),
    ]
    for (const order of [rows, [...rows].reverse()]) expect(readPrices(order).onDemand.get('a')).toBe(0.3)
  })

  test('Z-PRI-04: there is a list for the public cloud alone', () => {
    expect(hasPriceList('https://management.azure.com')).toBe(true)
    expect(hasPriceList('https://management.azure.com/')).toBe(true)
    expect(hasPriceList('https://management.chinacloudapi.cn')).toBe(false)
    expect(hasPriceList('https://management.usgovcloudapi.net')).toBe(false)
    expect(hasPriceList('')).toBe(false)
  })

  test('Z-PRI-05: every twelve hours', () => {
    expect(priceRefreshMs).toBe(12 * 60 * 60 * 1000)
  })

  test('Z-PRI-06: a list replaces all prices of a kind, unless it has none', () => {
    const before: Prices = {
      onDemand: new Map([
        ['a', 1],
        ['b', 2],
      ]),
      spot: new Map([['a', 0.5]]),
    }
    const updated = updatedPrices(before, { onDemand: new Map([['a', 3]]), spot: new Map() })
    expect([[...updated.onDemand], [...updated.spot]]).toEqual([[['a', 3]], [['a', 0.5]]])
  })

  test('Z-PRI-07: what has no price is dearer than anything', () => {
    const prices: Prices = { onDemand: new Map([['a', 1]]), spot: new Map() }
    expect(priceOf(prices, 'b')).toEqual({ onDemand: 999, spot: 999 })
    expect(priceOf(prices, 'a')).toEqual({ onDemand: 1, spot: 1 })
  })
})
