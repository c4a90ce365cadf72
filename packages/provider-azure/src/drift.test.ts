import { describe, expect, test } from '@jest/globals'
import { claimDrift, coreLabelKnowledge, ingestNodeClaim, type ManagedInstance } from '@scantling/core'
import { nodeClaimObject } from '@scantling/core/testing'
import { azureSettingsOf, claimOf, nodeClass } from '../test/builders.ts'
import { driftOf } from './drift.ts'
import type { AzureDetails } from './instances/index.ts'
import { hashOf, hashVersion, type AksNodeClass } from './node-class/index.ts'

const community = (definition: string, version: string) =>
  `/CommunityGalleries/AKSUbuntu-38d80f77-467a-481f-a8d4-09b6d4220bd2/images/${definition}/versions/${version}`
const shared = (definition: string, version: string) =>
  `/subscriptions/s/resourceGroups/AKS-Ubuntu/providers/Microsoft.Compute/galleries/AKSUbuntu/images/${definition}/versions/${version}`
const image = (id: string) => ({ id, requirements: [] })
const current = community('2204gen2containerd', '202510.19.1')
const ready = nodeClass({}, { images: [image(community('2204containerd', '202510.19.1')), image(current)] })
const settings = azureSettingsOf()

const vm: AzureDetails = {
  _tag: 'Vm',
  resourceId: '/vm',
  tags: {},
  identities: [],
  provisioningState: 'Succeeded',
  extensions: [],
}
const machine = (driftAction?: string): AzureDetails => ({
  _tag: 'Machine',
  resourceId: '/machine',
  tags: {},
  provisioningState: 'Succeeded',
  ...(driftAction !== undefined && { driftAction }),
})
type Subject = ManagedInstance<AksNodeClass, AzureDetails>
const node = (kubeletVersion = 'v1.33.5', labels: Readonly<Record<string, string>> = {}) => ({
  name: 'n',
  labels,
  kubeletVersion,
  capacity: {},
})
const instanceOf = (details: AzureDetails, imageId = current): Subject['instance'] => ({
  providerId: 'azure:///vm',
  phase: 'running',
  instanceType: 'Standard_D2s_v3',
  zone: '0',
  capacityType: 'spot',
  owner: {},
  ...(imageId !== '' && { imageId }),
  details,
})
const verdict = (
  changes: Partial<Omit<Subject, 'instance'>> & { readonly details?: AzureDetails; readonly imageId?: string } = {},
) => {
  const { details = vm, imageId = current, ...rest } = changes
  const found = driftOf(settings)({
    claim: claimOf(),
    nodeClass: ready,
    node: node(),
    instance: instanceOf(details, imageId),
    ...rest,
  })
  return found._tag === 'Drifted' ? found.reason : found._tag
}
const otherIdentity = { 'kubernetes.azure.com/kubelet-identity-client-id': 'other' }
const notReady = nodeClass({}, { conditions: [] })

describe('drift', () => {
  test('Z-DRIFT-02: what is checked of VMs and machines, in order', () => {
    const all = { node: node('v1.32.0', otherIdentity), imageId: community('old', '1') }
    expect(verdict(all)).toBe('K8sVersionDrift')
    expect(verdict({ ...all, node: node('v1.33.5', otherIdentity) })).toBe('KubeletIdentityDrift')
    expect(verdict({ ...all, node: node() })).toBe('ImageDrift')
    expect(verdict()).toBe('InSync')
    const recreate = { details: machine('Recreate') }
    expect(verdict({ ...all, ...recreate })).toBe('K8sVersionDrift')
    expect(verdict({ ...all, ...recreate, node: node('v1.33.5', otherIdentity) })).toBe('ImageDrift')
    expect(verdict({ ...recreate, node: node('v1.33.5', otherIdentity) })).toBe('ClusterConfigDrift')
  })

  test('Z-DRIFT-03: a class hashes to something else than its nodes were stamped with, by the same version', () => {
    const hash = (spec: object) => hashOf({ spec })
    const key = 'karpenter.azure.com/aksnodeclass-hash'
    const driftBy = (annotations: Readonly<Record<string, string>>, now: object) =>
      claimDrift({
        claim: ingestNodeClaim(nodeClaimObject('a-1', 'a', { metadata: { annotations } })),
        poolMarks: {},
        poolRequirements: [],
        knowledge: coreLabelKnowledge,
        reservationKeys: [],
        nodeClassHash: { key, hash: hash(now), version: hashVersion },
      })?.reason
    const before = nodeClass({ osDiskSizeGB: 64 }).spec
    const after = nodeClass({ osDiskSizeGB: 128 }).spec
    const stamped = { [key]: hash(before), [`${key}-version`]: hashVersion }
    expect([driftBy(stamped, before), driftBy(stamped, after)]).toEqual([undefined, 'NodeClassDrifted'])
    // Z-CTL-02: what the reference stamped is another version: stamped anew, and not replaced.
    expect(driftBy({ [key]: '4108492229247269128', [`${key}-version`]: 'v3' }, after)).toBeUndefined()
    expect(driftBy({}, after)).toBeUndefined()
  })

  test.each([
    ['v1.33.5', 'InSync'],
    ['v1.33.4', 'K8sVersionDrift'],
    ['v1.34.0', 'K8sVersionDrift'],
    ['v1.33.5-build.1', 'InSync'],
  ])('Z-DRIFT-04: kubelet %s under a class of 1.33.5: %s', (kubeletVersion, expected) => {
    expect(verdict({ node: node(kubeletVersion) })).toBe(expected)
  })

  test('Z-DRIFT-04: without a node, on its way out, and before the class has a version, there is no drift', () => {
    const { node: _, ...without } = { node: node() }
    const old = { node: node('v1.20.0') }
    expect(verdict({ ...old, claim: claimOf({ deleting: true }) })).toBe('InSync')
    expect(verdict({ ...old, nodeClass: notReady })).toBe('InSync')
    expect(
      driftOf(settings)({
        ...without,
        claim: claimOf(),
        nodeClass: ready,
        instance: instanceOf(vm),
      }),
    ).toEqual({ _tag: 'InSync' })
  })

  test('Z-DRIFT-05: another identity of the kubelet; none said is none other', () => {
    const label = 'kubernetes.azure.com/kubelet-identity-client-id'
    const of = (value: string) => verdict({ node: node('v1.33.5', { [label]: value }) })
    expect([of(settings.kubeletIdentityClientId), of(''), of('other')]).toEqual([
      'InSync',
      'InSync',
      'KubeletIdentityDrift',
    ])
  })

  test('Z-DRIFT-06: an image that is none of the class’s, of VMs and of machines', () => {
    expect(verdict({ imageId: community('2204gen2containerd', '202509.1.0') })).toBe('ImageDrift')
    expect(verdict({ imageId: community('2404gen2containerd', '202510.19.1') })).toBe('ImageDrift')
    expect(verdict({ imageId: current.toUpperCase() })).toBe('InSync')
    expect(verdict({ details: machine(), imageId: 'AKSUbuntu-2204gen2containerd-202510.19.1' })).toBe('InSync')
    expect(verdict({ details: machine(), imageId: 'AKSUbuntu-2204gen2containerd-202509.1.0' })).toBe('ImageDrift')
    expect(verdict({ imageId: '' })).toBe('Unknown')
    expect(verdict({ nodeClass: nodeClass({}, { images: [] }) })).toBe('Unknown')
    expect(verdict({ imageId: community('old', '1'), nodeClass: notReady })).toBe('InSync')
  })

  test('the same image from another gallery is the same image (W-32)', () => {
    expect(verdict({ imageId: shared('2204gen2containerd', '202510.19.1') })).toBe('InSync')
  })

  test.each([
    [undefined, 'InSync'],
    ['', 'InSync'],
    ['Synced', 'InSync'],
    ['Recreate', 'ClusterConfigDrift'],
    ['Rethink', 'ClusterConfigDrift'],
  ])('Z-DRIFT-07: drift action %s of a machine: %s', (driftAction, expected) => {
    expect(verdict({ details: machine(driftAction) })).toBe(expected)
  })

  test('Z-DRIFT-08: a subnet counts through the class’s hash alone, not through the operator’s default', () => {
    const other = azureSettingsOf({ vnetSubnetId: '/other' })
    const subject = {
      claim: claimOf(),
      nodeClass: ready,
      node: node(),
      instance: instanceOf(vm),
    }
    expect(driftOf(other)(subject)).toEqual({ _tag: 'InSync' })
    const id = (name: string) =>
      `/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/${name}`
    expect(hashOf(nodeClass({ vnetSubnetID: id('a') }))).not.toBe(hashOf(nodeClass({ vnetSubnetID: id('b') })))
  })
})
