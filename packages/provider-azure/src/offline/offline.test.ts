import { describe, expect, test } from '@jest/globals'
import { labelKeys, Offerings, Requirement, Requirements, type InstanceType } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { readCatalogFile } from './catalog-file.ts'
import { decodeAksNodeClass, offlineCatalog } from './index.ts'

const right = <A>(found: E.Either<unknown, A>): A => {
  if (E.isLeft(found)) throw new Error(JSON.stringify(found.left))
  return found.right
}
const typesIn = (region: string) => right(right(offlineCatalog(region)).typesOf())
const typeIn = (types: ReadonlyArray<InstanceType>, name: string): InstanceType => {
  const found = types.find((type) => type.name === name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}
const label = (type: InstanceType, key: string) => Requirement.singleValue(Requirements.get(type.requirements, key))

describe('types without an account', () => {
  const { typesOf, notes } = right(offlineCatalog('westeurope'))
  const types = right(typesOf())

  test('a region’s sizes with what they have, where they are and what they cost', () => {
    expect(types.length).toBeGreaterThan(500)
    const d2 = typeIn(types, 'Standard_D2s_v5')
    expect(d2.capacity).toMatchObject({ cpu: '2' })
    expect(new Set(d2.offerings.map(Offerings.zoneOf))).toEqual(
      new Set(['westeurope-1', 'westeurope-2', 'westeurope-3', '0']),
    )
    expect(d2.offerings.every(({ pricePerHour = 0 }) => pricePerHour > 0.05 && pricePerHour < 0.5)).toBe(true)
    const arm = typeIn(types, 'Standard_D2ps_v6')
    expect(label(arm, labelKeys.arch)).toBe('arm64')
    expect(label(arm, 'karpenter.azure.com/sku-storage-premium-capable')).toBe('true')
    expect(label(typeIn(types, 'Standard_NC24ads_A100_v4'), 'karpenter.azure.com/sku-gpu-name')).toBe('A100')
    // What AKS takes no pools of is not there either.
    for (const name of ['Standard_B1s', 'Standard_DC2s_v3', 'Standard_E4-2s_v5', 'Standard_A1_v2'])
      expect(types.some((type) => type.name === name)).toBe(false)
  })

  test('every size has a price, and something of it can be had', () => {
    for (const { name, offerings } of types) {
      expect([name, offerings.every(({ pricePerHour = 0 }) => pricePerHour > 0 && pricePerHour < 999)]).toEqual([
        name,
        true,
      ])
      expect([name, offerings.some(({ unavailable }) => unavailable === undefined)]).toEqual([name, true])
    }
  })

  test('a class of its own has what its image and disks leave', () => {
    const decoded = right(
      decodeAksNodeClass({
        metadata: { name: 'a' },
        spec: { osDiskSizeGB: 60, fipsMode: 'FIPS', imageFamily: 'AzureLinux' },
      }),
    )
    const own = right(typesOf(decoded))
    expect(typeIn(own, 'Standard_D2s_v5').capacity).toMatchObject({ 'ephemeral-storage': '60G' })
    expect(right(typesOf(decoded))).toBe(own)
    expect(E.isLeft(decodeAksNodeClass({ metadata: { name: 'a' }, spec: { imageFamily: 'Windows' } }))).toBe(true)
  })

  test('series B is not sold as spot', () => {
    const unavailable = typeIn(types, 'Standard_B2ms').offerings.filter((one) => one.unavailable !== undefined)
    expect(new Set(unavailable.map(Offerings.capacityTypeOf))).toEqual(new Set(['spot']))
  })

  test('the note says where figures come from, and what is assumed', () => {
    for (const text of [
      'kubernetes/autoscaler',
      '2026-',
      'list prices',
      'spot is priced as on-demand',
      'are taken to be',
    ])
      expect(notes.join('\n')).toContain(text)
  })

  test('a region without zones has the region alone; one that nobody knows is refused with those that are known', () => {
    const west = typesIn('westus')
    expect(new Set(west.flatMap(({ offerings }) => offerings.map(Offerings.zoneOf)))).toEqual(new Set(['0']))
    const unknown = offlineCatalog('atlantis')
    expect(E.isLeft(unknown) && unknown.left).toMatch(/^Cannot plan for region "atlantis": .*westeurope/)
  })

  test('every figure of the file has its source, license and date', () => {
    const { sources, regions } = readCatalogFile()
    for (const { from, license, date } of Object.values(sources)) {
      expect(from).not.toBe('')
      expect(['Apache-2.0', 'facts']).toContain(license)
      expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/)
    }
    expect(Object.keys(regions).length).toBeGreaterThan(50)
  })
})

describe('prices that users bring', () => {
  const priceOf = (text: string, name = 'Standard_D2s_v5') => {
    const found = offlineCatalog('westeurope', { name: 'my.txt', text })
    if (E.isLeft(found)) return found.left
    expect(found.right.notes.join()).toContain('Prices: my.txt')
    const prices = typeIn(right(found.right.typesOf()), name).offerings.map(({ pricePerHour }) => pricePerHour)
    return Math.min(...prices.map((price = 0) => price))
  }
  test.each([
    ['{"Standard_D2s_v5": 0.5}'],
    ['sku,price\nStandard_D2s_v5,0.5\n\n'],
    ['Standard_D2s_v5 0.7 # list\nStandard_D2s_v5 0.5 spot'],
    ['{"Items": [{"armSkuName": "Standard_D2s_v5", "retailPrice": 0.5}]}'],
    ['[{"Items": [{"armSkuName": "Standard_D2s_v5", "retailPrice": 0.5}]}]'],
    ['[{"armSkuName": "Standard_D2s_v5", "retailPrice": 0.5}]'],
  ])('in %j', (text) => {
    expect(priceOf(text)).toBe(0.5)
    expect(priceOf(text, 'Standard_D4s_v5')).toBe(999)
  })
  test.each([
    ['{', 'it is not JSON'],
    ['{"Standard_D2s_v5": "cheap"}', 'write a number per hour'],
    ['Standard_D2s_v5', 'line 1 is'],
    ['', 'there is no price in it'],
    ['Standard_D2s_v5 1 reserved', 'line 1 is'],
  ])('%j cannot be read: %s', (text, problem) => {
    expect(priceOf(text)).toMatch(new RegExp(`^Cannot read prices from my.txt: .*${problem}`))
  })
})
