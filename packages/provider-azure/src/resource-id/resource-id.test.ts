import { describe, expect, test } from '@jest/globals'
import {
  isManagedSubnet,
  isSameVnet,
  parseResourceId,
  parseSubnetId,
  providerIdOf,
  renderSubnetId,
  resourceIdOf,
} from './index.ts'

const subnet = (changes: Readonly<Record<string, string>> = {}) =>
  renderSubnetId({
    subscription: 's-1',
    resourceGroup: 'MC_g',
    vnet: 'aks-vnet-12345678',
    subnet: 'aks-subnet',
    ...changes,
  })

describe('resource IDs', () => {
  test('parts of an ID, in any case, with parents', () => {
    expect(
      parseResourceId('/subscriptions/s/resourcegroups/g/providers/Microsoft.Compute/diskEncryptionSets/d'),
    ).toEqual({
      subscription: 's',
      resourceGroup: 'g',
      type: 'Microsoft.Compute/diskEncryptionSets',
      name: 'd',
    })
    expect(parseResourceId(subnet())).toMatchObject({
      type: 'Microsoft.Network/virtualNetworks/subnets',
      name: 'aks-subnet',
    })
    for (const wrong of [
      '',
      'a',
      '/subscriptions/s',
      '/subscriptions//resourceGroups/g/providers/a/b/c',
      `${subnet()}/`,
    ])
      expect(parseResourceId(wrong)).toBeUndefined()
  })

  test('Z-NET-04: an ID of a subnet has eleven parts, fixed ones in any case', () => {
    expect(parseSubnetId(subnet())).toEqual({
      subscription: 's-1',
      resourceGroup: 'MC_g',
      vnet: 'aks-vnet-12345678',
      subnet: 'aks-subnet',
    })
    expect(parseSubnetId(subnet().toUpperCase())?.vnet).toBe('AKS-VNET-12345678')
    for (const wrong of [
      subnet().replace('resourceGroups', 'resourceGr'),
      subnet().replace('Microsoft.Network', 'Microsoft.Storage'),
      `${subnet()}/subnets/more`,
      subnet().slice(0, subnet().indexOf('/subnets')),
      subnet({ vnet: '' }),
      subnet().slice(1),
    ]) {
      expect(parseSubnetId(wrong)).toBeUndefined()
    }
  })

  test('two subnets are in one network whatever their case: ARM has none', () => {
    const [one, upper, other] = [subnet(), subnet().toUpperCase(), subnet({ vnet: 'b' })].map(parseSubnetId)
    expect(one && upper && isSameVnet(one, upper)).toBe(true)
    expect(one && other && isSameVnet(one, other)).toBe(false)
  })

  test.each([
    [{}, true],
    [{ vnet: 'AKS-VNET-00000001' }, true],
    [{ vnet: 'aks-vnet-1234567' }, false],
    [{ vnet: 'my-aks-vnet-12345678' }, false],
    [{ resourceGroup: 'mc_G' }, true],
    [{ resourceGroup: 'other' }, false],
    [{ subnet: 'AKS-Subnet' }, true],
    [{ subnet: 'mine' }, false],
  ])('Z-NET-05: a subnet with %j is managed by AKS: %s', (changes, isManaged) => {
    const id = parseSubnetId(subnet(changes))
    expect(id && isManagedSubnet(id, 'MC_g')).toBe(isManaged)
  })

  test('Z-CP-10: in a provider id the resource group alone is in lower case', () => {
    const id = (group: string) =>
      `/subscriptions/S/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/aks-A`
    expect(providerIdOf(id('MC_Group'))).toBe(`azure://${id('mc_group')}`)
    expect(providerIdOf('/not/an/ID')).toBe('azure:///not/an/ID')
    expect(resourceIdOf(providerIdOf(id('g')))).toBe(id('g'))
    expect([resourceIdOf('aws:///a'), resourceIdOf('azure://')]).toEqual([undefined, undefined])
  })
})
