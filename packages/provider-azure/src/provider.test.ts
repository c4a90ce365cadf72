import { describe, expect, test } from '@jest/globals'
import { Requirements } from '@scantling/core'
import { leftOf, recordingHost, rightOf, startMs } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { nodeClass } from '../test/builders.ts'
import {
  agentPool,
  launchErrors,
  networkOf,
  nodeGroup,
  subscription,
  World,
  type ServiceError,
} from '../test/emulator/index.ts'
import { fakeAzure } from '../test/fake-azure/index.ts'
import { claimFor, rig, settingsFor, callFor } from '../test/rig.ts'
import { instanceOfVm } from './instances/index.ts'
import { azureAnnotationKeys } from './labels/index.ts'
import { createFrom, provider } from './provider.ts'

const vmType = 'Microsoft.Compute/virtualMachines'
const nicType = 'Microsoft.Network/networkInterfaces'
const vmId = (name: string) => `/subscriptions/${subscription}/resourceGroups/${nodeGroup}/providers/${vmType}/${name}`
const minute = 60_000
const machineMode = {
  provisionMode: 'aksmachineapi',
  aksMachinesPoolName: agentPool,
  useSig: true,
  sigSubscriptionId: 'sig',
} as const

describe('the module', () => {
  test('Z-CP-01, Z-CP-15: its name, its class, and what makes a node be replaced', () => {
    expect([provider.name, provider.nodeClasses.map(({ kind }) => kind)]).toEqual(['azure', ['AKSNodeClass']])
    expect(provider.traits?.repair).toMatchObject([
      { conditionType: 'Ready', status: 'False', tolerationMs: 10 * minute },
      { conditionType: 'Ready', status: 'Unknown', tolerationMs: 10 * minute },
      { conditionType: 'kubernetes.azure.com/NodeHealthy', status: 'False', tolerationMs: 0 },
      { conditionType: 'PreemptionScheduled', status: 'True', tolerationMs: 0 },
      { conditionType: 'VMEventScheduled', status: 'True', tolerationMs: 0, isAdvice: true },
    ])
  })

  test('Z-CP-15: the announcement of an eviction says by when, in either form; else it is half a minute', () => {
    const policy = provider.traits?.repair?.find(({ conditionType }) => conditionType === 'PreemptionScheduled')
    const by = (message: string) =>
      policy?.deadlineMs?.({ reason: 'SpotEvictionIncoming', message, lastTransitionAtMs: 1_000 })
    const atMs = Date.parse('2026-06-01T12:00:30Z')
    expect(by('Preempt is scheduled, not before Mon, 01 Jun 2026 12:00:30 GMT')).toBe(atMs)
    expect(by('Preempt: NotBefore 2026-06-01T12:00:30Z')).toBe(atMs)
    expect(by('soon')).toBe(31_000)
  })

  test('W-01: other events of the VM have a deadline too, but for a freeze, after which all goes on', () => {
    const policy = provider.traits?.repair?.find(({ conditionType }) => conditionType === 'VMEventScheduled')
    const by = (message: string) =>
      policy?.deadlineMs?.({ reason: 'VMEventScheduled', message, lastTransitionAtMs: 1_000 })
    expect(by('Redeploy Scheduled: Mon, 01 Jun 2026 12:00:30 GMT')).toBe(Date.parse('2026-06-01T12:00:30Z'))
    expect(by('Reboot Scheduled')).toBe(601_000)
    expect(by('Freeze Scheduled: Mon, 01 Jun 2026 12:00:30 GMT')).toBeUndefined()
  })
})

describe('instances', () => {
  test('Z-CP-09, Z-GC-02: a VM says what it is, whose it is and since when', () => {
    const vm = {
      id: vmId('aks-general-abcde'),
      name: 'aks-general-abcde',
      location: 'westeurope',
      zones: ['2'],
      tags: { 'karpenter.sh_nodepool': 'general' },
      hardwareProfile: { vmSize: 'Standard_D2s_v5' },
      timeCreated: new Date(startMs),
      provisioningState: 'Succeeded',
    }
    const told = rightOf(instanceOfVm(vm))
    expect(told).toMatchObject({
      providerId: `azure://${vmId('aks-general-abcde').replace(nodeGroup, nodeGroup.toLowerCase())}`,
      phase: 'running',
      launchedAtMs: startMs,
      instanceType: 'Standard_D2s_v5',
      zone: 'westeurope-2',
      capacityType: 'on-demand',
      owner: { nodePool: 'general', nodeClaim: 'general-abcde' },
    })
    // Since when it is there nobody knows: the shell counts from when it first saw it.
    const { timeCreated: _, ...without } = vm
    expect(rightOf(instanceOfVm(without))).not.toHaveProperty('launchedAtMs')
    const phases = ['Creating', 'Deleting', 'Updating', 'Failed'].map(
      (provisioningState) => rightOf(instanceOfVm({ ...vm, provisioningState })).phase,
    )
    expect(phases).toEqual(['pending', 'terminating', 'running', 'running'])
    const images = [
      { id: '/sig' },
      { communityGalleryImageId: '/cig' },
      { sharedGalleryImageId: '/shared' },
      { publisher: 'p', offer: 'o', sku: 's', version: 'v' },
      {},
    ].map((imageReference) => rightOf(instanceOfVm({ ...vm, storageProfile: { imageReference } })).imageId)
    expect(images).toEqual(['/sig', '/cig', '/shared', 'p:o:s:v', undefined])
    expect(leftOf(instanceOfVm({ ...vm, zones: ['1', '2'] }))).toContain('in several')
    expect(leftOf(instanceOfVm({ ...vm, hardwareProfile: {} }))).toBe('VM aks-general-abcde has no size')
  })

  test('Z-CP-11: an id leads to the VM, and nowhere but to one of ours', async () => {
    const made = await rig()
    const { instance } = rightOf(await made.launch(claimFor('general-abcde')))
    expect(rightOf(await made.get(instance.providerId)).providerId).toBe(instance.providerId)
    const strangers = [
      instance.providerId.replace(/resourceGroups\/[^/]+/, 'resourceGroups/other'),
      instance.providerId.replace(subscription, 'other'),
      instance.providerId.replace(/aks-general-abcde/, 'postgres'),
      instance.providerId.replace(/virtualMachines\/.*/, 'virtualMachineScaleSets/aks-pool/virtualMachines/0'),
      'aws:///eu-west-1a/i-1',
    ]
    for (const id of strangers) {
      expect(leftOf(await made.get(id))._tag).toBe('InvalidRequest')
      expect(leftOf(await made.terminate(id))._tag).toBe('InvalidRequest')
    }
    expect(leftOf(await made.get(instance.providerId.replace('abcde', 'zzzzz')))._tag).toBe('InstanceNotFound')
    expect(made.vms()).toHaveLength(1)
  })

  test('Z-CP-05, Z-CP-12, Z-CP-13: the mode decides how nodes are made; what there is of the other kind is looked after', async () => {
    const vms = await rig({ settings: { useSig: true, sigSubscriptionId: 'sig' } })
    const vmClaim = claimFor('vm-abcde')
    const vm = rightOf(await vms.launch(vmClaim)).instance
    const both = await rig({ azure: vms.azure, clock: vms.clock, settings: machineMode })
    const machineClaim = claimFor('machine-abcde')
    const machine = rightOf(await both.launch(machineClaim)).instance
    expect([vm.details?._tag, machine.details?._tag, both.vms()]).toEqual(['Vm', 'Machine', ['aks-vm-abcde']])
    expect(machine.annotations).toMatchObject({
      [azureAnnotationKeys.machineResourceId]: expect.stringContaining(
        `/agentPools/${agentPool}/machines/machine-abcde`,
      ),
    })
    const ids = rightOf(await both.list()).instances.map(({ providerId }) => providerId)
    expect(new Set(ids)).toEqual(new Set([machine.providerId, vm.providerId]))
    for (const { providerId } of [vm, machine]) expect(rightOf(await both.get(providerId)).providerId).toBe(providerId)
    expect(rightOf(await both.terminate(machine.providerId))).toBe('Started')
    expect(rightOf(await both.terminate(vm.providerId))).toBe('Started')
    await both.clock.advance(5_000)
    expect(rightOf(await both.list()).instances).toEqual([])
    expect(both.azure.tally()[`DELETE ${vmType}/delete`]).toBe(1)
  })

  test('Z-CP-14: types are not told before the sizes are known, rather than told to be none', async () => {
    const { host, run, clock } = recordingHost()
    const { ports } = fakeAzure(new World({ nowMs: clock.nowMs }))
    const fresh = rightOf(await run(createFrom(ports, settingsFor(), host, callFor())))
    expect(leftOf(await run(fresh.instanceTypes(nodeClass(), callFor())))).toMatchObject({ _tag: 'Unknown' })
  })

  test('Z-DEL-01, Z-CP-13: an end that is asked for again and again is begun once', async () => {
    const made = await rig({ world: { operationMs: 30_000 } })
    const { instance } = rightOf(await made.launch(claimFor('general-abcde')))
    const { providerId } = instance
    const together = await made.run(async () =>
      E.right(await Promise.all([1, 2, 3].map(() => made.provider.terminate({ providerId }, made.call)()))),
    )
    for (let turn = 0; turn < 4; turn += 1) {
      expect(rightOf(await made.terminate(providerId))).toBe('Started')
      await made.clock.advance(5_000)
    }
    expect(rightOf(together).map(rightOf)).toEqual(['Started', 'Started', 'Started'])
    expect(made.azure.tally()[`DELETE ${vmType}/delete`]).toBe(1)
  })

  test('Z-DEL-02: a VM on its way out is left alone, one that is gone is gone', async () => {
    const made = await rig({ world: { operationMs: 10_000 } })
    const { instance } = rightOf(await made.launch(claimFor('general-abcde')))
    const vm = made.azure.world.get(vmId('aks-general-abcde'))
    if (vm !== undefined) made.azure.world.remove(vm)
    expect(rightOf(await made.terminate(instance.providerId))).toBe('Started')
    expect(made.azure.tally()[`DELETE ${vmType}/delete`]).toBeUndefined()
    await made.clock.advance(10_000)
    expect(rightOf(await made.terminate(instance.providerId))).toBe('Gone')
    expect(leftOf(await made.get(instance.providerId))._tag).toBe('InstanceNotFound')
  })

  test('Z-DEL-03: deletion is forced; an interface that the VM did not take along goes after it, if it may', async () => {
    const made = await rig()
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    const vm = made.azure.world.get(vmId('aks-general-abcde'))
    if (vm !== undefined) vm.properties['networkProfile'] = {}
    await made.terminate(instance.providerId)
    expect(
      made.azure.calls.find(({ method, action }) => method === 'DELETE' && action === `${vmType}/delete`)?.path,
    ).toMatch(/\?forceDeletion=true$/)
    await made.clock.advance(5_000)
    expect(made.nics()).toHaveLength(1)
    made.azure.world.actionFaults.set(`${nicType}/delete`, {
      error: { status: 400, code: 'NicReservedForAnotherVm', message: 'for 180 seconds' },
      times: 1,
    })
    expect(rightOf(await made.terminate(instance.providerId))).toBe('Gone')
    expect(made.logged.at(-1)).toMatchObject({ level: 'warn', fields: { name: 'aks-general-abcde' } })
    expect(rightOf(await made.terminate(instance.providerId))).toBe('Gone')
    await made.clock.advance(5_000)
    expect(made.nics()).toEqual([])
  })

  test('Z-LIST-01: Compute lists what bears our marks; where it is throttled Resource Graph does', async () => {
    const made = await rig()
    for (const name of ['one-aaaaa', 'two-bbbbb']) rightOf(await made.launch(claimFor(name)))
    const { world } = made.azure
    const stranger = (name: string, tags: Readonly<Record<string, string>>) =>
      world.put({
        id: vmId(name),
        name,
        type: vmType,
        location: 'westeurope',
        tags,
        properties: { hardwareProfile: { vmSize: 'Standard_D2s_v5' } },
      })
    stranger('postgres', {})
    stranger('aks-other', { 'karpenter.azure.com_cluster': 'other', 'karpenter.sh_nodepool': 'general' })
    stranger('aks-machines-m1-12345678-vm', {
      'karpenter.sh_nodepool': 'general',
      'karpenter.azure.com_aksmachine_nodeclaim': 'm1',
    })
    stranger('aks-standalone', { 'karpenter.azure.com_cluster': 'test' })
    stranger('aks-of-the-reference', { 'karpenter.sh_nodepool': 'general' })
    const names = async () =>
      rightOf(await made.list())
        .instances.map(({ owner }) => String(owner.nodeClaim))
        .sort()
    expect(await names()).toEqual(['of-the-reference', 'one-aaaaa', 'standalone', 'two-bbbbb'])
    expect(made.azure.tally()['POST Microsoft.ResourceGraph/resources/read']).toBeUndefined()
    world.actionFaults.set(`${vmType}/read`, { error: { status: 429, code: 'TooManyRequests', message: 'slow down' } })
    expect(await names()).toEqual(['of-the-reference', 'one-aaaaa', 'two-bbbbb'])
    const query = made.azure.calls.find(({ action }) => action.startsWith('Microsoft.ResourceGraph'))?.body['query']
    expect(query).toEqual(expect.stringContaining(`where resourceGroup == '${nodeGroup.toLowerCase()}'`))
    expect(query).toEqual(expect.stringContaining("where type == 'microsoft.compute/virtualmachines'"))
  })

  test('Z-LIST-02, W-17: what cannot be read is told apart, and the rest is read', async () => {
    const made = await rig()
    rightOf(await made.launch(claimFor('one-aaaaa')))
    const { world, ports } = made.azure
    const tags = { 'karpenter.sh_nodepool': 'general' }
    world.put({ id: vmId('aks-odd'), name: 'aks-odd', type: vmType, location: 'westeurope', tags, properties: {} })
    expect(rightOf(await made.list())).toMatchObject({
      instances: [{ owner: { nodeClaim: 'one-aaaaa' } }],
      unreadable: [{ message: 'VM aks-odd has no size' }],
    })
    world.actionFaults.set(`${vmType}/read`, { error: { status: 429, code: 'TooManyRequests', message: 'slow down' } })
    const rows = [
      {
        id: vmId('AKS-One-AAAAA'),
        name: 'AKS-One-AAAAA',
        location: 'westeurope',
        tags,
        properties: { hardwareProfile: { vmSize: 'Standard_D2s_v5' } },
      },
      { id: vmId('aks-x'), name: 'aks-x' },
      { name: 'aks-y', tags },
    ]
    const odd = { ...ports, resourceGraph: { query: () => async () => E.right(rows) } }
    const provided = rightOf(await made.run(createFrom(odd, made.settings, made.host, made.call)))
    expect(rightOf(await made.run(provided.list(made.call)))).toMatchObject({
      instances: [{ owner: { nodeClaim: 'one-aaaaa' } }],
      unreadable: [
        { message: expect.stringContaining('without tags') },
        { message: expect.stringContaining('without id') },
      ],
    })
  })
})

describe('changes in place', () => {
  const taggedClass = (made: Awaited<ReturnType<typeof rig>>, tags: Readonly<Record<string, string>>) => {
    const { status, metadata } = made.nodeClass()
    return { ...nodeClass({ tags }), status, metadata }
  }
  /** A node whose class then gets another tag, and its claim as it was stamped before. */
  const retagged = async () => {
    const made = await rig()
    const claim = claimFor('general-abcde', { registered: true })
    const { instance } = rightOf(await made.launch(claim))
    await made.converged(claim, instance.providerId)
    made.setNodeClass(taggedClass(made, { team: 'a' }))
    const annotated = { ...claim, annotations: { [azureAnnotationKeys.inPlaceUpdateHash]: 'before' } }
    return { made, instance, annotated }
  }

  test('Z-IPU-01, Z-IPU-05, Z-CP-06: once a VM is made to the end its claim says so, and nothing more is asked for', async () => {
    const made = await rig()
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    const done = await made.converged(claim, instance.providerId)
    const hash = done._tag === 'Converged' ? done.annotations?.[azureAnnotationKeys.inPlaceUpdateHash] : undefined
    expect(hash).toMatch(/^\d+$/)
    const annotations = { [azureAnnotationKeys.inPlaceUpdateHash]: hash ?? '' }
    const before = made.azure.calls.length
    const fresh = rightOf(await made.get(instance.providerId))
    const again = await made.run(
      made.provider.converge?.(
        { claim: { ...claim, annotations }, nodeClass: made.nodeClass(), instance: fresh },
        made.call,
      ) as never,
    )
    expect(again).toEqual(E.right({ _tag: 'Converged' }))
    expect(made.azure.calls.length - before).toBe(1)
  })

  test('Z-DEL-04, Z-IPU-03: tags are replaced on interface, extension and VM, in this order; identities are added', async () => {
    const made = await rig()
    const claim = claimFor('general-abcde', { registered: true })
    const { instance } = rightOf(await made.launch(claim))
    await made.converged(claim, instance.providerId)
    const annotations = { [azureAnnotationKeys.inPlaceUpdateHash]: 'before' }
    const before = made.azure.calls.length
    const next = await rig({ azure: made.azure, clock: made.clock, settings: { nodeIdentities: ['/id/new'] } })
    next.setNodeClass(taggedClass(made, { team: 'a/b' }))
    expect(await next.converged({ ...claim, annotations }, instance.providerId)).toMatchObject({
      _tag: 'Converged',
      annotations: { [azureAnnotationKeys.inPlaceUpdateHash]: expect.stringMatching(/^\d+$/) },
    })
    const patches = made.azure.calls.slice(before).filter(({ method }) => method === 'PATCH')
    expect(patches.map(({ action }) => action)).toEqual([
      `${nicType}/write`,
      `${vmType}/extensions/write`,
      `${vmType}/write`,
    ])
    const tags = {
      team: 'a/b',
      'karpenter.azure.com_cluster': 'test',
      'karpenter.sh_nodepool': 'general',
      'compute.aks.billing': 'linux',
    }
    expect(patches.map(({ body }) => body['tags'])).toEqual([tags, tags, tags])
    expect(made.azure.world.get(vmId('aks-general-abcde'))?.identity).toMatchObject({
      userAssignedIdentities: { '/id/new': {} },
    })
  })

  test('Z-IPU-03: identities that others gave stay, and those that are there are not given again', async () => {
    const made = await rig({ settings: { nodeIdentities: ['/ID/A'] } })
    const claim = claimFor('general-abcde', { registered: true })
    const { instance } = rightOf(await made.launch(claim))
    const vm = made.azure.world.get(vmId('aks-general-abcde'))
    if (vm !== undefined)
      vm.identity = { type: 'UserAssigned', userAssignedIdentities: { '/id/a': {}, '/id/theirs': {} } }
    await made.converged(claim, instance.providerId)
    expect(made.azure.calls.filter(({ method }) => method === 'PATCH')).toEqual([])
    const next = await rig({ azure: made.azure, clock: made.clock, settings: { nodeIdentities: ['/id/b'] } })
    await next.converged(claim, instance.providerId)
    expect(vm?.identity).toMatchObject({ userAssignedIdentities: { '/id/a': {}, '/id/b': {}, '/id/theirs': {} } })
  })

  test('Z-IPU-02: a node that has not registered is changed when it does; a claim that goes is left alone', async () => {
    const made = await rig()
    const claim = claimFor('general-abcde')
    const { instance } = rightOf(await made.launch(claim))
    await made.converged(claim, instance.providerId)
    made.setNodeClass(taggedClass(made, { team: 'a' }))
    expect(await made.converged(claim, instance.providerId)).toEqual({ _tag: 'Converged' })
    expect(await made.converged({ ...claim, registered: true, deleting: true }, instance.providerId)).toEqual({
      _tag: 'Converged',
    })
    expect(made.azure.calls.filter(({ method }) => method === 'PATCH')).toEqual([])
    expect(await made.converged({ ...claim, registered: true }, instance.providerId)).toHaveProperty('annotations')
    expect(made.azure.calls.filter(({ method }) => method === 'PATCH')).toHaveLength(3)
  })

  test('Z-DEL-04: what failed on the way is done again, for the VM comes last; an extension that is not there is no error', async () => {
    const { made, instance, annotated } = await retagged()
    made.azure.world.actionFaults.set(`${vmType}/extensions/write`, {
      error: { status: 503, code: 'ServiceUnavailable', message: 'later' },
      times: 1,
    })
    expect(E.isLeft(await made.converge(annotated, instance.providerId))).toBe(true)
    made.azure.world.actionFaults.set(`${vmType}/extensions/write`, {
      error: { status: 404, code: 'ResourceNotFound', message: 'gone' },
      times: 1,
    })
    expect(await made.converged(annotated, instance.providerId)).toHaveProperty('annotations')
    expect(made.azure.world.get(vmId('aks-general-abcde'))?.tags).toMatchObject({ team: 'a' })
  })

  test('Z-TAG-03: tags of the operator reach existing nodes after a restart, as they do in the reference', async () => {
    const made = await rig()
    const claim = claimFor('general-abcde', { registered: true })
    const { instance } = rightOf(await made.launch(claim))
    const first = await made.converged(claim, instance.providerId)
    const annotations = first._tag === 'Converged' ? first.annotations : undefined
    const next = await rig({ azure: made.azure, clock: made.clock, settings: { additionalTags: { cost: '1' } } })
    await next.converged({ ...claim, annotations: annotations ?? {} }, instance.providerId)
    expect(made.azure.world.get(vmId('aks-general-abcde'))?.tags).toMatchObject({ cost: '1' })
    expect(
      next.provider.drift?.({
        claim,
        nodeClass: next.nodeClass(),
        instance: rightOf(await next.get(instance.providerId)),
      }),
    ).toEqual({
      _tag: 'InSync',
    })
  })

  test('tags that a policy adds are no reason to write ours for ever', async () => {
    const { made, instance, annotated } = await retagged()
    expect(rightOf(await made.converge(annotated, instance.providerId))).toMatchObject({ _tag: 'Pending' })
    const vm = made.azure.world.get(vmId('aks-general-abcde'))
    if (vm !== undefined) vm.tags = { ...vm.tags, audited: 'yes' }
    expect(rightOf(await made.converge(annotated, instance.providerId))).toHaveProperty('annotations')
  })
})

describe('what is left over', () => {
  test('Z-GC-03: interfaces without VM and claim go; those of claims, of VMs, of machines and of others stay', async () => {
    const made = await rig()
    rightOf(await made.launch(claimFor('kept-aaaaa')))
    const { world } = made.azure
    const nic = (name: string, tags: Readonly<Record<string, string>>, properties: Record<string, unknown> = {}) =>
      world.put({
        id: `${networkOf}/networkInterfaces/${name}`,
        name,
        type: nicType,
        location: 'westeurope',
        tags,
        properties,
      })
    const ours = { 'karpenter.sh_nodepool': 'general', 'karpenter.azure.com_cluster': 'test' }
    nic('aks-orphan', ours)
    nic('aks-claimed', ours)
    nic('aks-attached', ours, { virtualMachine: { id: vmId('aks-attached') } })
    nic('private-endpoint', {})
    nic('aks-of-another', { ...ours, 'karpenter.azure.com_cluster': 'other' })
    nic('aks-machine', { ...ours, 'karpenter.azure.com_aksmachine_nodeclaim': 'm' })
    nic('postgres', ours)
    rightOf(await made.runTask('network-interfaces', { claims: [claimFor('claimed')] }))
    await made.clock.advance(5_000)
    expect(made.nics()).toEqual([
      'aks-attached',
      'aks-claimed',
      'aks-kept-aaaaa',
      'aks-machine',
      'aks-of-another',
      'postgres',
      'private-endpoint',
    ])
    expect(made.azure.tally()[`DELETE ${nicType}/delete`]).toBe(1)
  })

  test('Z-GC-03: one that cannot be deleted yet does not hold up the others, and goes another time', async () => {
    const made = await rig()
    for (const name of ['aks-one', 'aks-two'])
      made.azure.world.put({
        id: `${networkOf}/networkInterfaces/${name}`,
        name,
        type: nicType,
        tags: { 'karpenter.sh_nodepool': 'general' },
        properties: {},
      })
    made.azure.world.actionFaults.set(`${nicType}/delete`, {
      error: { status: 400, code: 'NicReservedForAnotherVm', message: 'for 180 seconds' },
      times: 1,
    })
    rightOf(await made.runTask('network-interfaces'))
    await made.clock.advance(5_000)
    expect(made.nics()).toHaveLength(1)
    rightOf(await made.runTask('network-interfaces'))
    await made.clock.advance(5_000)
    expect(made.nics()).toEqual([])
    const task = made.provider.tasks?.find(({ name }) => name === 'network-interfaces')
    expect([task?.everyMs, task?.runsOn]).toEqual([5 * minute, 'leader'])
  })

  test('a launch that is younger than the view of claims keeps its interface', async () => {
    const made = await rig()
    const request = await made.requestFor(claimFor('young-aaaaa'))
    made.azure.world.actionFaults.set(`${vmType}/write`, {
      error: { status: 503, code: 'Odd', message: 'later' },
      times: 1,
    })
    expect(E.isLeft(await made.run(made.provider.launch(request, made.call)))).toBe(true)
    rightOf(await made.runTask('network-interfaces'))
    await made.clock.advance(5_000)
    expect(made.nics()).toEqual(['aks-young-aaaaa'])
    await made.clock.advance(10 * minute)
    rightOf(await made.runTask('network-interfaces'))
    await made.clock.advance(5_000)
    expect(made.nics()).toEqual([])
  })

  describe('Z-GC-03, Z-VM-13: the interface that a refused launch kept', () => {
    const refused = async (error: ServiceError) => {
      const made = await rig()
      const claim = claimFor('refused-aaaaa')
      made.azure.world.launchFaults.push({ phase: 'request', error })
      const failure = leftOf(await made.launch(claim))
      const deletions = () => made.azure.tally()[`DELETE ${nicType}/delete`] ?? 0
      return { ...made, claim, failure, deletions, clear: () => made.azure.world.launchFaults.splice(0) }
    }

    test('goes a moment after its claim, and not before, without a list', async () => {
      const made = await refused(launchErrors.zonalAllocationFailed)
      expect(made.failure.keepClaim).toBe(true)
      const before = made.azure.tally()
      rightOf(await made.runTask('left-interfaces', { claims: [made.claim] }))
      expect(made.nics()).toEqual(['aks-refused-aaaaa'])
      expect(made.azure.tally()).toEqual(before)
      rightOf(await made.runTask('left-interfaces'))
      await made.clock.advance(5_000)
      expect(made.nics()).toEqual([])
      rightOf(await made.runTask('left-interfaces'))
      expect(made.azure.tally()).toEqual({ ...before, [`DELETE ${nicType}/delete`]: 1 })
      const task = made.provider.tasks?.find(({ name }) => name === 'left-interfaces')
      expect([task?.everyMs, task?.runsOn]).toEqual([20_000, 'leader'])
    })

    test('is not touched once the next try has used it', async () => {
      const made = await refused(launchErrors.zonalAllocationFailed)
      made.clear()
      rightOf(await made.launch(made.claim))
      rightOf(await made.runTask('left-interfaces'))
      expect(made.deletions()).toBe(0)
    })

    test('is remembered through a try that fails before it', async () => {
      const made = await refused(launchErrors.zonalAllocationFailed)
      made.azure.world.actionFaults.set(`${nicType}/write`, {
        error: { status: 429, code: 'TooManyRequests', message: 'later' },
        times: 1,
      })
      leftOf(await made.launch(made.claim))
      rightOf(await made.runTask('left-interfaces'))
      await made.clock.advance(5_000)
      expect(made.nics()).toEqual([])
    })

    test('goes when Azure lets go of it, if it cannot be taken back at once', async () => {
      const made = await rig()
      const { world } = made.azure
      world.launchFaults.push({ phase: 'request', error: launchErrors.policy })
      const reserved = { status: 400, code: 'NicReservedForAnotherVm', message: 'for 180 seconds' }
      world.actionFaults.set(`${nicType}/delete`, { error: reserved, times: 2 })
      expect(leftOf(await made.launch(claimFor('refused-aaaaa'))).keepClaim).toBeUndefined()
      const deletions = () => made.azure.tally()[`DELETE ${nicType}/delete`] ?? 0
      for (const [passMs, expected] of [
        [0, 2],
        [20_000, 2],
        [40_000, 3],
      ] as const) {
        await made.clock.advance(passMs)
        rightOf(await made.runTask('left-interfaces'))
        expect(deletions()).toBe(expected)
      }
      await made.clock.advance(5_000)
      expect(made.nics()).toEqual([])
    })

    test('of a process that died goes soon after its claim too, once the sweep has seen it', async () => {
      const made = await refused(launchErrors.zonalAllocationFailed)
      const next = await rig({ azure: made.azure, clock: made.clock })
      rightOf(await next.runTask('network-interfaces', { claims: [made.claim] }))
      expect(next.nics()).toEqual(['aks-refused-aaaaa'])
      rightOf(await next.runTask('left-interfaces'))
      await made.clock.advance(5_000)
      expect(next.nics()).toEqual([])
    })
  })

  test('Z-GC-04: a disk goes with its VM', async () => {
    const made = await rig()
    const { instance } = rightOf(await made.launch(claimFor('general-abcde')))
    expect(made.disks()).toEqual(['aks-general-abcde'])
    await made.terminate(instance.providerId)
    await made.clock.advance(5_000)
    expect(made.disks()).toEqual([])
  })
})

describe('work by the clock', () => {
  test('Z-CTL-07: sizes twice a day and quotas every ten minutes, on every replica', async () => {
    const made = await rig()
    expect(made.provider.tasks?.map(({ name, everyMs, runsOn }) => [name, everyMs / minute, runsOn])).toEqual([
      ['instance-types', 720, 'every-replica'],
      ['quotas', 10, 'every-replica'],
      ['prices', 720, 'every-replica'],
      ['network-interfaces', 5, 'leader'],
      ['left-interfaces', 1 / 3, 'leader'],
    ])
    const before = await made.typesOf()
    expect(await made.typesOf()).toBe(before)
    rightOf(await made.runTask('quotas'))
    expect(await made.typesOf()).toBe(before)
    rightOf(await made.launch(claimFor('general-abcde')))
    rightOf(await made.runTask('quotas'))
    const after = await made.typesOf()
    // What one VM took of its family is gone from that family alone.
    const changed = after.filter((type, index) => type !== before[index])
    expect(changed.length).toBeGreaterThan(0)
    expect(changed.length).toBeLessThan(after.length)
  })

  test('quotas that cannot be read, and prices that cannot, leave what was known', async () => {
    const made = await rig()
    const before = await made.typesOf()
    made.azure.world.actionFaults.set('Microsoft.Compute/locations/usages/read', {
      error: { status: 503, code: 'Odd', message: 'later' },
    })
    made.azure.world.actionFaults.set('Microsoft.Compute/skus/read', {
      error: { status: 503, code: 'Odd', message: 'later' },
    })
    for (const task of ['quotas', 'instance-types']) expect(E.isLeft(await made.runTask(task))).toBe(true)
    expect(await made.typesOf()).toBe(before)
  })
})

describe('many at a time', () => {
  test('W-10, W-11: a thousand VMs are made without a read for each of them at each look', async () => {
    const made = await rig({ world: { operationMs: 20_000, quotas: { cores: 100_000, families: {} } } })
    const count = 1_000
    const claims = Array.from({ length: count }, (_, index) =>
      claimFor(`n${index}-aaaaa`, {
        requirements: Requirements.fromSpecs([
          { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] },
          { key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['Standard_D2s_v5'] },
        ]),
      }),
    )
    const [first] = claims
    if (first === undefined) throw new Error('There is a first claim')
    const request = await made.requestFor(first)
    const outcomes = rightOf(
      await made.run(async () =>
        E.right(
          await Promise.all(
            claims.map((claim) => made.provider.launch({ ...request, claim, token: claim.uid }, made.call)()),
          ),
        ),
      ),
    )
    const ids = outcomes.map((outcome) => rightOf(outcome).instance.providerId)
    expect(new Set(ids).size).toBe(count)
    for (;;) {
      const verdicts = rightOf(
        await made.run(async () =>
          E.right(
            await Promise.all(
              claims.map(async (claim, index) => {
                const instance = rightOf(
                  await (made.provider.get?.({ providerId: ids[index] ?? '' }, made.call) ?? neverThere)(),
                )
                return rightOf(
                  await (
                    made.provider.converge?.({ claim, nodeClass: made.nodeClass(), instance }, made.call) ?? neverThere
                  )(),
                )._tag
              }),
            ),
          ),
        ),
      )
      if (verdicts.every((verdict) => verdict === 'Converged')) break
      await made.clock.advance(10_000)
    }
    const {
      [`PUT ${nicType}/write`]: nics,
      [`PUT ${vmType}/write`]: vms,
      [`PUT ${vmType}/extensions/write`]: extensions,
      ...rest
    } = made.azure.tally()
    expect([nics, vms, extensions]).toEqual([count, count, count])
    const reads = Object.values(rest).reduce((sum, calls) => sum + calls, 0)
    expect(reads).toBeLessThan(100)
  }, 60_000)
})

const neverThere = () => Promise.reject(new Error('The provider has no such member'))
