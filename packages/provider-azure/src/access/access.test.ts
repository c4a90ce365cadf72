import { describe, expect, test } from '@jest/globals'
import { actionsAt, allRights, armTemplate, controllerRoles, roleDocuments } from './index.ts'

const scope = { subscription: 's', nodeResourceGroup: 'MC_g', clusterResourceGroup: 'g', cluster: 'c' }
const roles = controllerRoles(scope)

describe('roles of the controller', () => {
  test('Z-CHART-04: one for each place, assignable there: nodes in the node resource group, machines in the cluster’s', () => {
    expect(roles.map(({ place, assignableScope, isOptional }) => [place, assignableScope, isOptional])).toEqual([
      ['subscription', '/subscriptions/s', false],
      ['node resource group', '/subscriptions/s/resourceGroups/MC_g', false],
      ['subnet', '/subscriptions/s', false],
      ['agent pool', '/subscriptions/s/resourceGroups/g', true],
      ['disk encryption set', '/subscriptions/s', true],
    ])
    const granted = roles.flatMap(({ place, actions }) => actions.map((action) => `${place}: ${action}`))
    expect(new Set(granted)).toEqual(new Set(allRights.map(({ place, action }) => `${place}: ${action}`)))
    expect(granted).toHaveLength(new Set(granted).size)
  })

  test('no right is a wildcard, and none gives rights or secrets away', () => {
    for (const { action } of allRights) {
      expect(action).toMatch(/^Microsoft\.\w+(\/\w+)+\/(read|write|delete|action)$/)
      expect(action).not.toMatch(/Authorization|listKeys|listCluster|KeyVault/i)
    }
  })

  test('what changes or ends machines is confined to a resource group', () => {
    for (const place of ['subscription', 'disk encryption set'] as const)
      expect(actionsAt(place).filter((action) => !action.endsWith('/read'))).toEqual([])
    expect(actionsAt('subnet').filter((action) => !action.endsWith('/read'))).toEqual([
      'Microsoft.Network/virtualNetworks/subnets/join/action',
    ])
  })

  test('files for az role definition create, with placeholders', () => {
    const documents = Object.values(roleDocuments()) as ReadonlyArray<{
      readonly Name: string
      readonly Actions: ReadonlyArray<string>
      readonly AssignableScopes: ReadonlyArray<string>
    }>
    expect(documents.map(({ Actions }) => Actions.length)).toEqual(roles.map(({ actions }) => actions.length))
    expect(documents[1]?.AssignableScopes).toEqual([
      '/subscriptions/SUBSCRIPTION_ID/resourceGroups/NODE_RESOURCE_GROUP',
    ])
    expect(new Set(documents.map(({ Name }) => Name)).size).toBe(roles.length)
  })
})

describe('the ARM template', () => {
  const { resources } = armTemplate() as unknown as {
    readonly resources: ReadonlyArray<{
      readonly type: string
      readonly name: string
      readonly resourceGroup?: string
      readonly condition?: string
      readonly properties: { readonly permissions?: ReadonlyArray<{ readonly actions: ReadonlyArray<string> }> }
    }>
  }
  test('makes every role, each under a name of its own that stays the same', () => {
    const made = resources.filter(({ type }) => type === 'Microsoft.Authorization/roleDefinitions')
    expect(made.map(({ properties }) => properties.permissions?.[0]?.actions)).toEqual(
      roles.map(({ actions }) => actions),
    )
    expect(new Set(made.map(({ name }) => name)).size).toBe(roles.length)
    for (const { name } of made) expect(name).toMatch(/^\[guid\(subscription\(\)\.id, parameters\('clusterName'\), /)
  })
  test('assigns those of the cluster in their resource groups, and that of machines on request', () => {
    const groups = resources.filter(({ type }) => type === 'Microsoft.Resources/deployments')
    expect(groups.map(({ resourceGroup, condition }) => [resourceGroup, condition])).toEqual([
      ["[parameters('nodeResourceGroup')]", undefined],
      ["[parameters('clusterResourceGroup')]", "[parameters('usesMachines')]"],
    ])
    expect(resources.filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments')).toHaveLength(1)
  })
})
