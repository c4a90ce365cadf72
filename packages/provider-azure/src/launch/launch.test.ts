import { describe, expect, test } from '@jest/globals'
import { Requirements, type NodeClaimFacts, type RequirementSpec } from '@scantling/core'
import { leftOf, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { nodeClass } from '../../test/builders.ts'
import { launchErrors, networkOf, nodeGroup, subscription } from '../../test/emulator/index.ts'
import { claimFor, rig, type RigOptions } from '../../test/rig.ts'
import { planLaunch } from './index.ts'

type Made = Awaited<ReturnType<typeof rig>>

const vmWrite = 'Microsoft.Compute/virtualMachines/write'
const nicWrite = 'Microsoft.Network/networkInterfaces/write'
const extensionWrite = 'Microsoft.Compute/virtualMachines/extensions/write'

/** What was put last by the action, as ARM gets it. */
const bodyOf = (made: Made, action: string) => {
  const call = made.azure.calls.filter((one) => one.action === action && one.method === 'PUT').at(-1)
  if (call === undefined) throw new Error(`Nothing was put by ${action}`)
  return { tags: {}, ...call.body, path: call.path }
}

const claimWith = (
  changes: Readonly<Record<string, ReadonlyArray<string>>>,
  name = 'general-abcde',
): NodeClaimFacts => {
  const specs: ReadonlyArray<RequirementSpec> = Object.entries({
    'karpenter.sh/capacity-type': ['on-demand'],
    'kubernetes.io/arch': ['amd64'],
    ...changes,
  }).map(([key, values]) => ({ key, operator: 'In', values }))
  return claimFor(name, { requirements: Requirements.fromSpecs(specs) })
}

/** One launch, and what ARM got for it. */
const launched = async (
  options: RigOptions = {},
  requirements: Readonly<Record<string, ReadonlyArray<string>>> = {},
) => {
  const made = await rig(options)
  const { instance } = rightOf(await made.launch(claimWith(requirements)))
  return { made, instance, vm: bodyOf(made, vmWrite), nic: bodyOf(made, nicWrite) }
}

describe('the body of a VM', () => {
  test('Z-VM-01: VM, interface, disk and host share a name, in the node resource group and the cluster’s region', async () => {
    const { vm, nic } = await launched()
    const name = 'aks-general-abcde'
    expect(vm).toMatchObject({
      location: 'westeurope',
      properties: { osProfile: { computerName: name }, storageProfile: { osDisk: { name } } },
    })
    expect(nic).toMatchObject({ location: 'westeurope' })
    for (const { path } of [vm, nic]) expect(path).toMatch(new RegExp(`/resourceGroups/${nodeGroup}/.*/${name}$`))
    const made = await rig()
    const long = await made.launch(claimFor('a'.repeat(61)))
    expect(leftOf(long)).toMatchObject({ error: { _tag: 'InvalidRequest', message: expect.stringContaining('60') } })
  })

  test('Z-VM-04: place, tags, size, and identities where there are any', async () => {
    const zonal = await launched({}, { 'topology.kubernetes.io/zone': ['westeurope-2'] })
    expect(zonal.vm).toMatchObject({
      zones: ['2'],
      tags: {
        'karpenter.azure.com_cluster': 'test',
        'karpenter.sh_nodepool': 'general',
        'compute.aks.billing': 'linux',
      },
      properties: { hardwareProfile: { vmSize: zonal.instance.instanceType } },
    })
    expect(zonal.vm).not.toHaveProperty('identity')
    const regional = await launched(
      { settings: { nodeIdentities: ['/id/a'] } },
      { 'topology.kubernetes.io/zone': ['0'] },
    )
    expect(regional.vm).toMatchObject({
      zones: [],
      identity: { type: 'UserAssigned', userAssignedIdentities: { '/id/a': {} } },
    })
    expect(regional.instance.zone).toBe('0')
  })

  test('Z-VM-05: the disk is made from the image and goes with the VM; ephemeral where it fits, encrypted where it is wanted', async () => {
    const small = await launched({ spec: { osDiskSizeGB: 30 } })
    expect(small.vm).toMatchObject({
      properties: {
        storageProfile: {
          osDisk: {
            diskSizeGB: 30,
            createOption: 'FromImage',
            deleteOption: 'Delete',
            diffDiskSettings: { option: 'Local', placement: 'CacheDisk' },
            caching: 'ReadOnly',
          },
        },
      },
    })
    const diskEncryptionSetId = `/subscriptions/${subscription}/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/d`
    const large = await launched({ spec: { osDiskSizeGB: 2048 }, settings: { diskEncryptionSetId } })
    const { osDisk } = (large.vm as unknown as { properties: { storageProfile: { osDisk: object } } }).properties
      .storageProfile
    expect(osDisk).not.toHaveProperty('diffDiskSettings')
    expect(osDisk).toMatchObject({ managedDisk: { diskEncryptionSet: { id: diskEncryptionSetId } } })
  })

  test('Z-VM-06: images of the community galleries and of the shared ones are named each in its way', async () => {
    const community = await launched()
    expect(community.vm).toMatchObject({
      properties: {
        storageProfile: {
          imageReference: { communityGalleryImageId: expect.stringMatching(/^\/CommunityGalleries\//) },
        },
      },
    })
    const shared = await launched({ settings: { useSig: true, sigSubscriptionId: 'sig' } })
    expect(shared.vm).toMatchObject({
      properties: { storageProfile: { imageReference: { id: expect.stringMatching(/^\/subscriptions\/sig\//) } } },
    })
    expect(shared.instance.imageId).toMatch(/^\/subscriptions\/sig\//)
  })

  test('Z-VM-07: one interface, primary, which goes with the VM', async () => {
    const { vm } = await launched()
    expect(vm).toMatchObject({
      properties: {
        networkProfile: {
          networkInterfaces: [
            {
              id: `${networkOf}/networkInterfaces/aks-general-abcde`,
              properties: { primary: true, deleteOption: 'Delete' },
            },
          ],
        },
      },
    })
  })

  test('Z-VM-08: an admin with a key and no password, and what makes the VM a node', async () => {
    const { vm } = await launched()
    const { osProfile } = (vm as unknown as { properties: { osProfile: { customData: string } } }).properties
    expect(osProfile).toMatchObject({
      adminUsername: 'azureuser',
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: {
          publicKeys: [
            { path: expect.stringMatching(/azureuser\/\.ssh\/authorized_keys$/), keyData: 'ssh-rsa AAAA azureuser' },
          ],
        },
      },
    })
    const script = Buffer.from(osProfile.customData, 'base64').toString('utf8')
    expect(script).toContain("NETWORK_SECURITY_GROUP='aks-agentpool-12345678-nsg'")
    expect(script).toContain('karpenter.azure.com/sku-name=')
  })

  test('Z-VM-09: a spot VM is deleted when it is evicted, and costs at most what it costs on demand', async () => {
    const spot = await launched({}, { 'karpenter.sh/capacity-type': ['spot'] })
    expect(spot.vm).toMatchObject({
      properties: { priority: 'Spot', evictionPolicy: 'Delete', billingProfile: { maxPrice: -1 } },
    })
    expect(spot.instance.capacityType).toBe('spot')
    const { properties } = (await launched()).vm as unknown as { properties: object }
    expect(properties).toMatchObject({ priority: 'Regular' })
    expect(properties).not.toHaveProperty('evictionPolicy')
  })

  test('Z-VM-10: encryption at the host as the class says, trusted launch where a part of it is on, else nothing', async () => {
    const { properties } = (await launched()).vm as unknown as { properties: object }
    expect(properties).not.toHaveProperty('securityProfile')
    const off = await launched({ spec: { security: { encryptionAtHost: false } } })
    expect(off.vm).toMatchObject({ properties: { securityProfile: { encryptionAtHost: false } } })
    const trusted = await launched({ spec: { security: { trustedLaunch: { vtpm: true, secureBoot: false } } } })
    expect(trusted.vm).toMatchObject({
      properties: {
        securityProfile: {
          securityType: 'TrustedLaunch',
          uefiSettings: { secureBootEnabled: false, vTpmEnabled: true },
        },
      },
    })
  })
})

describe('the body of a network interface', () => {
  test('Z-NIC-01: one configuration of its own name in the subnet, in the pools of the balancers, tagged as the VM', async () => {
    const { nic, vm } = await launched()
    expect(nic).toMatchObject({
      tags: vm.tags,
      properties: {
        enableIPForwarding: false,
        ipConfigurations: [
          {
            name: 'aks-general-abcde',
            properties: {
              primary: true,
              privateIPAllocationMethod: 'Dynamic',
              subnet: { id: `${networkOf}/virtualNetworks/aks-vnet-12345678/subnets/aks-subnet` },
              loadBalancerBackendAddressPools: [
                { id: `${networkOf}/loadBalancers/kubernetes/backendAddressPools/aksOutboundBackendPool` },
                { id: `${networkOf}/loadBalancers/kubernetes/backendAddressPools/kubernetes` },
              ],
            },
          },
        ],
      },
    })
  })

  test('Z-NIC-02: accelerated networking where the size has it', async () => {
    expect((await launched()).nic).toMatchObject({ properties: { enableAcceleratedNetworking: true } })
  })

  test('Z-NIC-03: the security group in a subnet of the user’s own, not in that of AKS', async () => {
    const managed = (await launched()).nic as unknown as { properties: object }
    expect(managed.properties).not.toHaveProperty('networkSecurityGroup')
    const vnetSubnetId = `${networkOf}/virtualNetworks/mine/subnets/a`
    const own = await rig({ settings: { vnetSubnetId, vnetGuid: '11111111-1111-1111-1111-111111111111' } })
    own.setNodeClass(nodeClass({}, { images: own.nodeClass().status.images }))
    rightOf(await own.launch(claimWith({})))
    expect(bodyOf(own, nicWrite)).toMatchObject({
      properties: { networkSecurityGroup: { id: `${networkOf}/networkSecurityGroups/aks-agentpool-12345678-nsg` } },
    })
  })

  test('Z-NIC-04: without an overlay an address for each pod, outside of the pools', async () => {
    const { nic } = await launched({ settings: { networkPluginMode: '' }, spec: { maxPods: 12 } })
    const { ipConfigurations } = (
      nic as unknown as { properties: { ipConfigurations: ReadonlyArray<{ name: string; properties: object }> } }
    ).properties
    expect(ipConfigurations.map(({ name }) => name)).toEqual([
      'aks-general-abcde',
      ...Array.from({ length: 11 }, (_, index) => `ipconfig${index + 1}`),
    ])
    expect(ipConfigurations[1]?.properties).toMatchObject({ primary: false, privateIPAllocationMethod: 'Dynamic' })
    expect(ipConfigurations[1]?.properties).not.toHaveProperty('loadBalancerBackendAddressPools')
  })

  test('Z-NIC-05: a pool that is gone has the balancers read anew, once for all who meet it', async () => {
    const made = await rig()
    rightOf(await made.launch(claimFor('first-aaaaa')))
    const balancer = made.azure.world.get(`${networkOf}/loadBalancers/kubernetes`)
    if (balancer !== undefined)
      balancer.properties['backendAddressPools'] = [
        { id: `${balancer.id}/backendAddressPools/anew`, name: 'anew', properties: {} },
      ]
    const requests = await Promise.all(['second-bbbbb', 'third-ccccc'].map((name) => made.requestFor(claimFor(name))))
    const both = await made.run(async () =>
      E.right(await Promise.all(requests.map((request) => made.provider.launch(request, made.call)()))),
    )
    for (const one of rightOf(both)) expect(E.isRight(one)).toBe(true)
    expect(made.azure.tally()['GET Microsoft.Network/loadBalancers/read']).toBe(2)
    expect(bodyOf(made, nicWrite)).toMatchObject({
      properties: {
        ipConfigurations: [
          {
            properties: {
              loadBalancerBackendAddressPools: [{ id: expect.stringMatching(/anew$/) }],
            },
          },
        ],
      },
    })
  })
})

describe('a launch', () => {
  test('Z-VM-02: interface, then VM, then extensions; nothing is read before it is known to be needed', async () => {
    const made = await rig()
    const before = made.azure.calls.length
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    await made.converged(claim, instance.providerId)
    const effects = made.azure.calls
      .slice(before)
      .filter(({ method }) => method !== 'GET')
      .map(({ method, action }) => `${method} ${action}`)
    expect(effects).toEqual([`PUT ${nicWrite}`, `PUT ${vmWrite}`, `PUT ${extensionWrite}`])
  })

  test('Z-VM-03: a VM of the claim is taken as it is, by a new process as well, and after an answer that was lost', async () => {
    const made = await rig()
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    const again = rightOf(
      await made.launch(claim, { nodeClass: nodeClass({ osDiskSizeGB: 60 }, made.nodeClass().status as never) }),
    )
    expect(again.instance.providerId).toBe(instance.providerId)
    const next = await rig({ azure: made.azure, clock: made.clock })
    expect(rightOf(await next.launch(claim)).instance.providerId).toBe(instance.providerId)
    expect(made.azure.tally()[`PUT ${vmWrite}`]).toBe(1)
    // Accepted, and nobody heard: the next try finds the name taken.
    const other = claimFor('other-abcde')
    made.azure.fateOf = ({ action }) => (action === vmWrite ? 'lost' : 'pass')
    void made.provider.launch(await made.requestFor(other), made.call)()
    await made.clock.advance(5_000)
    made.azure.fateOf = () => 'pass'
    expect(made.vms()).toContain('aks-other-abcde')
    const third = await rig({ azure: made.azure, clock: made.clock })
    expect(rightOf(await third.launch(other)).instance.owner.nodeClaim).toBe('other-abcde')
    expect(made.vms()).toHaveLength(2)
  })

  test('Z-VM-03, W-09: a name that is taken is no failure: the VM that has it is the claim’s', async () => {
    const made = await rig()
    const claim = claimFor('general-abcde')
    const request = await made.requestFor(claim)
    // The process has listed what there is; then the VM appears.
    rightOf(await made.launch(claimFor('first-aaaaa')))
    const before = await rig({ azure: made.azure, clock: made.clock })
    const { instance } = rightOf(await before.launch(claim))
    expect(rightOf(await made.run(made.provider.launch(request, made.call))).instance.providerId).toBe(
      instance.providerId,
    )
    expect(made.azure.calls.filter(({ code }) => code === 'PreconditionFailed')).toHaveLength(1)
    rightOf(await made.terminate(instance.providerId))
    expect(leftOf(await made.launch(claim))).toMatchObject({ reason: 'InstanceEnded' })
  })

  test('Z-VM-13: what another offering may cure keeps the interface for the next try; anything else leaves nothing', async () => {
    const made = await rig()
    const { world } = made.azure
    const claim = claimFor('general-abcde')
    world.launchFaults.push({ phase: 'request', error: launchErrors.skuNotAvailable, times: 1 })
    expect(leftOf(await made.launch(claim))).toMatchObject({
      reason: 'SKUNotAvailable',
      keepClaim: true,
      unavailable: [{ forMs: 23 * 3_600_000 }],
    })
    expect([made.vms(), made.nics()]).toEqual([[], ['aks-general-abcde']])
    world.launchFaults.push({ phase: 'request', error: launchErrors.policy, times: 1 })
    expect(leftOf(await made.launch(claim))).toMatchObject({ reason: 'RequestDisallowedByPolicy' })
    await made.clock.advance(5_000)
    expect([made.vms(), made.nics(), made.disks()]).toEqual([[], [], []])
    rightOf(await made.launch(claim))
    expect(made.nics()).toHaveLength(1)
  })

  test('Z-VM-13, Z-CP-06: one that fails after it was accepted is told with its marks, and ended without a trace', async () => {
    const made = await rig()
    made.azure.world.launchFaults.push({ phase: 'operation', error: launchErrors.zonalAllocationFailed, times: 1 })
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    const verdict = await made.converged(claim, instance.providerId)
    expect(verdict).toMatchObject({
      _tag: 'Failed',
      failure: { reason: 'ZonalAllocationFailure', unavailable: [{ forMs: 3_600_000 }] },
    })
    expect(verdict).not.toHaveProperty('failure.keepClaim')
    rightOf(await made.terminate(instance.providerId))
    await made.clock.advance(5_000)
    expect(rightOf(await made.terminate(instance.providerId))).toBe('Gone')
    expect([made.vms(), made.nics(), made.disks()]).toEqual([[], [], []])
  })

  test('W-20: a process that did not begin it learns from the VM itself why it failed', async () => {
    const made = await rig()
    made.azure.world.launchFaults.push({ phase: 'operation', error: launchErrors.allocationFailed, times: 1 })
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    const next = await rig({ azure: made.azure, clock: made.clock })
    expect(await next.converged(claim, instance.providerId)).toMatchObject({
      _tag: 'Failed',
      failure: { reason: 'AllocationFailure' },
    })
  })

  test('Z-VM-14: what is on its way is looked at every three seconds', async () => {
    const made = await rig({ world: { operationMs: 10_000 } })
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    const reads = made.azure.tally()['GET Microsoft.Network/networkInterfaces/read'] ?? 0
    expect(reads).toBeGreaterThanOrEqual(4)
    expect(reads).toBeLessThanOrEqual(5)
    expect(rightOf(await made.converge(claim, instance.providerId))).toMatchObject({
      _tag: 'Pending',
      retryAfterMs: 3_000,
    })
  })

  test('Z-VM-15: launches are counted when they begin and when they fail, at once or later, by the code', async () => {
    const made = await rig()
    const { launchFaults } = made.azure.world
    const claim = claimFor('general-abcde')
    launchFaults.push({ phase: 'request', error: launchErrors.skuNotAvailable, times: 1 })
    await made.launch(claim)
    launchFaults.push({ phase: 'operation', error: launchErrors.zonalAllocationFailed, times: 1 })
    const { instance } = rightOf(await made.launch(claim))
    await made.converged(claim, instance.providerId)
    const labels = { size: instance.instanceType, zone: instance.zone, capacity_type: 'on-demand', nodepool: 'general' }
    const counted = (suffix: string) => made.recorded.filter(({ metric }) => metric.endsWith(suffix))
    expect(counted('create_start_total')).toHaveLength(2)
    expect(counted('create_start_total')[1]).toMatchObject({ value: 1, labels: { ...labels, image: instance.imageId } })
    expect(counted('create_failure_total').map((one) => [one.labels['phase'], one.labels['error_code']])).toEqual([
      ['sync', 'SkuNotAvailable'],
      ['async', 'ZonalAllocationFailed'],
    ])
  })

  test('Z-EXT-01: the extension by which AKS counts the VM, in the clouds that have it', async () => {
    const made = await rig()
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    await made.converged(claim, instance.providerId)
    expect(bodyOf(made, extensionWrite)).toMatchObject({
      path: expect.stringMatching(/aks-general-abcde\/extensions\/computeAksLinuxBilling$/),
      location: 'westeurope',
      tags: { 'karpenter.sh_nodepool': 'general' },
      properties: {
        publisher: 'Microsoft.AKS',
        typePropertiesType: 'Compute.AKS.Linux.Billing',
        typeHandlerVersion: '1.0',
        autoUpgradeMinorVersion: true,
        settings: {},
      },
    })
    const stack = await rig({ settings: { cloud: 'AzureStackCloud' } })
    const elsewhere = rightOf(await stack.launch(claim))
    expect(await stack.converged(claim, elsewhere.instance.providerId)).toMatchObject({ _tag: 'Converged' })
    expect(stack.azure.tally()[`PUT ${extensionWrite}`]).toBeUndefined()
  })

  test('Z-EXT-03: an extension that fails is a launch that failed, unless the node works already', async () => {
    const made = await rig()
    made.azure.world.extensionFailure = { status: 409, code: 'VMExtensionProvisioningError', message: 'exit 100' }
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    expect(await made.converged(claim, instance.providerId)).toMatchObject({
      _tag: 'Failed',
      failure: { reason: 'CreateInstanceFailed', error: { code: 'VMExtensionProvisioningError' } },
    })
    const registered = claimFor('general-abcde', { registered: true })
    expect(await made.converged(registered, instance.providerId)).toMatchObject({ _tag: 'Converged' })
    expect(made.logged.map(({ level }) => level)).toContain('warn')
  })

  test('Z-CP-03: a class whose version or images are not of its generation launches nothing, and the claim stays', async () => {
    const made = await rig()
    const request = await made.requestFor(claimFor('general-abcde'))
    const older = { ...made.nodeClass(), metadata: { ...made.nodeClass().metadata, generation: 2 } }
    const skuOf = () => undefined
    expect(planLaunch({ ...request, nodeClass: older }, { skuOf, random: () => 0 })).toMatchObject({
      left: {
        reason: 'NodeClassReadinessUnknown',
        error: { _tag: 'Unknown', message: expect.stringContaining('the spec is at 2') },
      },
    })
    const failure = leftOf(await made.launch(claimFor('general-abcde'), { nodeClass: older }))
    expect(failure).not.toHaveProperty('unavailable')
    expect(made.azure.tally()[`PUT ${nicWrite}`]).toBeUndefined()
  })

  test('two at once of one claim are one, and a caller that leaves is told so', async () => {
    const made = await rig()
    const request = await made.requestFor(claimFor('general-abcde'))
    const both = await made.run(async () =>
      E.right(await Promise.all([1, 2].map(() => made.provider.launch(request, made.call)()))),
    )
    const [first, second] = rightOf(both)
    expect(first).toBe(second)
    expect(made.azure.tally()[`PUT ${vmWrite}`]).toBe(1)
    const leaving = new AbortController()
    const other = made.provider.launch(await made.requestFor(claimFor('other-abcde')), {
      ...made.call,
      signal: leaving.signal,
    })()
    leaving.abort()
    await made.clock.advance(5_000)
    expect(leftOf(await other).error.code).toBe('Cancelled')
    expect(made.vms()).toEqual(['aks-general-abcde'])
  })
})
