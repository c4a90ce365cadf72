import { describe, expect, test } from '@jest/globals'
import type { InstanceType } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { azureSettingsOf, nodeClass, skuRow } from '../../test/builders.ts'
import type { AksNodeClass } from '../node-class/index.ts'
import { createCatalog } from './index.ts'

const rows = [
  skuRow('Standard_D2s_v3'),
  skuRow('Standard_D8s_v3', { vCPUs: '8' }),
  skuRow('Standard_E8s_v5', { vCPUs: '8' }, { family: 'standardESv5Family' }),
]
const loaded = () => {
  const catalog = createCatalog(azureSettingsOf())
  catalog.takeSkus(rows)
  return catalog
}
const types = (catalog: ReturnType<typeof createCatalog>, of: AksNodeClass = nodeClass(), version = '1.33.0') => {
  const found = catalog.instanceTypes(of, version)
  if (E.isRight(found)) return found.right
  throw new Error(found.left.message)
}
const usage = (value: string, currentValue: number) => ({ name: { value }, currentValue, limit: 10 })
const isNew = (before: ReadonlyArray<InstanceType>, after: ReadonlyArray<InstanceType>) =>
  after.map((type, index) => type !== before[index])

describe('the catalogue', () => {
  test('Z-IT-08: before the first list there is no answer; later one that is shared and cannot be changed', () => {
    const empty = createCatalog(azureSettingsOf())
    expect(empty.instanceTypes(nodeClass(), '1.33.0')).toMatchObject({ _tag: 'Left', left: { retryAfterMs: 1000 } })
    expect(empty.sku('Standard_D2s_v3')).toBeUndefined()
    const catalog = loaded()
    expect(types(catalog).map(({ name }) => name)).toEqual(['Standard_D2s_v3', 'Standard_D8s_v3', 'Standard_E8s_v5'])
    expect(types(catalog)).toBe(types(catalog))
    expect(catalog.sku('Standard_D8s_v3')?.vCpus).toBe(8)
  })

  test('Z-IT-02: an answer without sizes is an error and changes nothing; the same answer makes nothing anew', () => {
    const catalog = loaded()
    const before = types(catalog)
    expect(E.isLeft(catalog.takeSkus([]))).toBe(true)
    catalog.takeSkus([...rows].reverse())
    expect(types(catalog)).toBe(before)
    catalog.takeSkus([...rows, skuRow('Standard_D16s_v3', { vCPUs: '16' })])
    const after = types(catalog)
    expect(after.map(({ name }) => [name, before.some((type) => after.includes(type) && type.name === name)])).toEqual([
      ['Standard_D16s_v3', false],
      ['Standard_D2s_v3', true],
      ['Standard_D8s_v3', true],
      ['Standard_E8s_v5', true],
    ])
  })

  test('Z-IT-07: classes that agree in what types are made from share them', () => {
    const catalog = loaded()
    const base = types(catalog)
    expect(types(catalog, nodeClass({ tags: { a: 'b' }, kubelet: { cpuManagerPolicy: 'static' } }))).toBe(base)
    for (const spec of [
      { imageFamily: 'AzureLinux' },
      { osDiskSizeGB: 64 },
      { maxPods: 30 },
      { security: { encryptionAtHost: true } },
      { security: { trustedLaunch: { vtpm: true } } },
      { gpu: { mode: 'None' } },
      { artifactStreaming: { enabled: true } },
      { fipsMode: 'FIPS' },
    ]) {
      expect([spec, types(catalog, nodeClass(spec)) === base]).toEqual([spec, false])
    }
    expect(types(catalog, nodeClass({}, { localDNSState: 'Enabled' }))).toHaveLength(2)
    expect(types(catalog)).toBe(base)
  })

  test('Z-IT-07: a change of quota makes the types of that family anew, and no other', () => {
    const catalog = loaded()
    const before = types(catalog)
    catalog.takeUsages([usage('standardDSv3Family', 0)], 0)
    const first = types(catalog)
    expect(isNew(before, first)).toEqual([true, true, false])
    catalog.takeUsages([usage('standardDSv3Family', 0)], 1)
    expect(types(catalog)).toBe(first)
    catalog.takeUsages([usage('standardDSv3Family', 5)], 2)
    const second = types(catalog)
    expect(second[1]?.offerings[0]?.unavailable?.reason).toBe('SubscriptionQuotaReached')
    expect(second[2]).toBe(first[2])
    catalog.takeUsages(undefined, 16 * 60_000)
    expect(types(catalog)[1]?.offerings[0]?.unavailable).toBeUndefined()
  })

  test('Z-PRI-08: a change of price is seen at once, not after a day (W-14)', () => {
    const catalog = loaded()
    const before = types(catalog)
    catalog.takePrices([{ armSkuName: 'Standard_D2s_v3', skuName: 'D2s v3', retailPrice: 0.1 }])
    const after = types(catalog)
    expect(after[0]?.offerings[0]?.pricePerHour).toBe(0.1)
    catalog.takePrices([])
    expect(types(catalog)).toBe(after)
    catalog.takePrices([
      { armSkuName: 'Standard_D2s_v3', skuName: 'D2s v3', retailPrice: 0.1 },
      { armSkuName: 'Standard_D8s_v3', skuName: 'D8s v3', retailPrice: 0.4 },
    ])
    expect(isNew(after, types(catalog))).toEqual([false, true, false])
    expect(before[0]).not.toBe(after[0])
  })

  test('equal requirements of types and offerings are one object: planners compile by identity', () => {
    const [first, second] = types(loaded())
    const arch = (type?: InstanceType) => type?.requirements.byKey.get('kubernetes.io/arch')
    expect(arch(first)).toBe(arch(second))
    expect(first?.offerings[0]?.requirements).toBe(second?.offerings[0]?.requirements)
  })

  test('Z-IT-09: a type of which nothing can be had is still there, for the nodes of it', () => {
    const catalog = createCatalog(azureSettingsOf())
    catalog.takeSkus([skuRow('Standard_D8s_v3', { vCPUs: '8', LowPriorityCapable: 'False' })])
    catalog.takeUsages([usage('standardDSv3Family', 10)], 0)
    const [only] = types(catalog)
    expect(only?.offerings.every(({ unavailable }) => unavailable !== undefined)).toBe(true)
  })
})
