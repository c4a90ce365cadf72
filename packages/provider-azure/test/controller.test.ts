import { afterEach, describe, expect, test } from '@jest/globals'
import { applyDeployment, conditionOf, eventsOf, runningPods, scale, untilRunning } from '@scantling/simulation'
import { endedAfter } from '@scantling/simulation/testing'
import { launchErrors, nodeGroup, subscription } from './emulator/index.ts'
import { azureKinds as kinds } from './kinds.ts'
import { applyAzureDefaults, startVirtualAzure, type VirtualAzure } from './virtual-controller.ts'

const vmType = 'Microsoft.Compute/virtualMachines'
const minute = 60_000

const stopping = endedAfter(afterEach)
const start = async (...options: Parameters<typeof startVirtualAzure>) => stopping(await startVirtualAzure(...options))
/** Has the only node say what the metadata service announces. */
const announce = async (azure: VirtualAzure, type: string, event: string, inMs: number): Promise<string> => {
  const [node] = await azure.all(kinds.nodes)
  const name = node?.metadata.name ?? ''
  const nowMs = azure.clock.nowMs()
  const condition = {
    type,
    status: 'True',
    reason: type,
    message: `${event} Scheduled: ${new Date(nowMs + inMs).toUTCString()}`,
    lastTransitionTime: new Date(nowMs).toISOString(),
  }
  await azure.face.patch({ ...kinds.nodes, name, subresource: 'status' }, 'merge', {
    status: { conditions: [...(node?.status?.conditions ?? []), condition] },
  })
  return name
}
const isEmpty = (azure: VirtualAzure) => azure.vms().length + azure.nics().length + azure.disks().length === 0
const isReady = async (azure: VirtualAzure) =>
  conditionOf(await azure.one(kinds.nodeClasses, 'default'), 'Ready')?.status === 'True'

describe('the controller over a small Azure, on virtual time', () => {
  test('Z-CP-04, Z-CP-07, Z-CP-08: pods get the VM that they ask for, which joins, is consolidated, and nothing is left', async () => {
    const azure = await start()
    const controller = await azure.startController()
    await applyAzureDefaults(azure)
    await applyDeployment(azure, 'web', 3, '1500m', { nodeSelector: { 'karpenter.azure.com/sku-family': 'E' } })
    await untilRunning(azure, 3)
    const claims = await azure.all(kinds.nodeClaims)
    expect(azure.vms().length).toBe(claims.length)
    expect(azure.nics().length).toBe(claims.length)
    const nodes = await azure.all(kinds.nodes)
    expect(nodes.every(({ metadata }) => metadata.labels?.['karpenter.azure.com/sku-family'] === 'E')).toBe(true)
    await azure.until('the claim says that all is done', async () =>
      Object.hasOwn(
        (await azure.all(kinds.nodeClaims))[0]?.metadata.annotations ?? {},
        'karpenter.azure.com/in-place-update-hash',
      ),
    )
    const [claim] = await azure.all(kinds.nodeClaims)
    expect(claim?.metadata.annotations).toMatchObject({
      'karpenter.azure.com/aksnodeclass-hash': expect.any(String),
      'karpenter.azure.com/aksnodeclass-hash-version': 'scantling-v1',
    })
    expect(claim?.metadata.labels).toMatchObject({
      'karpenter.sh/nodepool': 'default',
      'topology.kubernetes.io/zone': expect.stringMatching(/^westeurope-\d$/),
      'karpenter.azure.com/placement-scope': 'zonal',
    })
    expect(claim?.status?.imageID).toMatch(/^\/CommunityGalleries\//)
    await scale(azure, 'web', 1)
    await azure.until(
      'one node is enough',
      async () => (await azure.all(kinds.nodeClaims)).length === 1 && azure.vms().length === 1,
    )
    await scale(azure, 'web', 0)
    await azure.until('nothing is left', () => isEmpty(azure))
    await azure.until('no claim is left', async () => (await azure.all(kinds.nodeClaims)).length === 0)
    expect(controller.errors).toEqual([])
  }, 60_000)

  test('Z-CP-07: a claim without a NodePool is launched, made to the end and ended in the same way', async () => {
    const azure = await start()
    await azure.startController()
    await applyAzureDefaults(azure)
    await azure.until('the class is ready', () => isReady(azure))
    await azure.face.create(kinds.nodeClaims, {
      metadata: { name: 'alone' },
      spec: {
        nodeClassRef: { group: 'karpenter.azure.com', kind: 'AKSNodeClass', name: 'default' },
        requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
        resources: { requests: { cpu: '1' } },
      },
    })
    await azure.until(
      'it is a node',
      async () => conditionOf(await azure.one(kinds.nodeClaims, 'alone'), 'Initialized')?.status === 'True',
    )
    expect(azure.vms()).toEqual(['aks-alone'])
    await azure.face.delete({ ...kinds.nodeClaims, name: 'alone' })
    await azure.until('nothing is left', () => isEmpty(azure))
  }, 60_000)

  test('Z-AUTH-06: a controller that starts before its kinds are defined waits for them', async () => {
    const azure = await start({ cluster: { definedAfterMs: 90_000 } })
    const startedMs = azure.clock.nowMs()
    await azure.startController()
    expect(azure.clock.nowMs() - startedMs).toBeGreaterThanOrEqual(90_000)
    await applyAzureDefaults(azure)
    await azure.until('the class is ready', () => isReady(azure))
  }, 60_000)

  test('Z-CP-02, Z-CP-14: a pool whose class is missing, or on its way out, launches nothing, and says why', async () => {
    const azure = await start()
    await azure.startController()
    await applyAzureDefaults(azure)
    await azure.until('the class is ready', () => isReady(azure))
    await azure.face.delete({ ...kinds.nodeClasses, name: 'default' })
    await azure.until('the class is gone', async () => (await azure.all(kinds.nodeClasses)).length === 0)
    await applyDeployment(azure, 'web', 1, '1')
    await azure.until('the pool says why', async () => {
      const condition = conditionOf(await azure.one(kinds.nodePools, 'default'), 'NodeClassReady')
      return condition?.status === 'False'
    })
    await azure.face.create(kinds.nodeClaims, {
      metadata: { name: 'alone' },
      spec: {
        nodeClassRef: { group: 'karpenter.azure.com', kind: 'AKSNodeClass', name: 'default' },
        requirements: [],
      },
    })
    await azure.until('the claim goes', async () => (await azure.all(kinds.nodeClaims)).length === 0)
    expect(isEmpty(azure)).toBe(true)
  }, 60_000)

  test('Z-CP-06: a VM that fails after it was accepted costs its claim, and the next is bought elsewhere', async () => {
    const azure = await start()
    const controller = await azure.startController()
    azure.world.launchFaults.push({ phase: 'operation', error: launchErrors.zonalAllocationFailed, times: 1 })
    await applyAzureDefaults(azure)
    await applyDeployment(azure, 'web', 1, '1')
    await untilRunning(azure, 1)
    expect(azure.vms()).toHaveLength(1)
    const zones = controller.azure.calls
      .filter(({ method, action }) => method === 'PUT' && action === `${vmType}/write`)
      .map(({ body }) => String(body['zones']))
    expect(new Set(zones).size).toBe(2)
    await azure.until('its interface is gone', () => azure.nics().length === 1)
  }, 60_000)

  test('Z-CTL-01, Z-CTL-02: the class bears its hash; claims that the reference stamped are stamped anew, without being replaced', async () => {
    const azure = await start()
    await azure.startController()
    await applyAzureDefaults(azure)
    await applyDeployment(azure, 'web', 1, '1')
    await untilRunning(azure, 1)
    const [claim] = await azure.all(kinds.nodeClaims)
    const name = claim?.metadata.name ?? ''
    const hashKey = 'karpenter.azure.com/aksnodeclass-hash'
    const versionKey = `${hashKey}-version`
    const hashOf = async () => (await azure.one(kinds.nodeClasses, 'default'))?.metadata.annotations?.[hashKey]
    const first = await hashOf()
    expect(claim?.metadata.annotations?.[hashKey]).toBe(first)
    const older = { metadata: { annotations: { [hashKey]: '123', [versionKey]: 'v3' } } }
    await azure.face.patch({ ...kinds.nodeClaims, name }, 'merge', older)
    await azure.face.patch({ ...kinds.nodeClasses, name: 'default' }, 'merge', older)
    await azure.until(
      'the claim is stamped anew',
      async () => (await azure.one(kinds.nodeClaims, name))?.metadata.annotations?.[versionKey] === 'scantling-v1',
    )
    expect((await azure.one(kinds.nodeClaims, name))?.metadata.annotations?.[hashKey]).toBe(first)
    expect(conditionOf(await azure.one(kinds.nodeClaims, name), 'Drifted')).toBeUndefined()
    // A change of the spec is one: the node is replaced.
    await azure.face.patch({ ...kinds.nodeClasses, name: 'default' }, 'merge', { spec: { osDiskSizeGB: 60 } })
    await azure.until('the class has another hash', async () => (await hashOf()) !== first)
    await azure.until('the node is replaced', async () => (await azure.one(kinds.nodeClaims, name)) === undefined)
    await untilRunning(azure, 1)
  }, 60_000)

  test('Z-CTL-04: a class goes when no claim has it any more', async () => {
    const azure = await start()
    await azure.startController()
    await applyAzureDefaults(azure)
    await applyDeployment(azure, 'web', 1, '1')
    await untilRunning(azure, 1)
    await azure.face.delete({ ...kinds.nodeClasses, name: 'default' })
    await azure.clock.advance(2 * minute)
    const waiting = await azure.one(kinds.nodeClasses, 'default')
    expect(waiting?.metadata.finalizers).toEqual(['karpenter.azure.com/termination'])
    const told = await eventsOf(azure, { reason: 'WaitingOnNodeClaimTermination' })
    const [claim] = await azure.all(kinds.nodeClaims)
    expect(told[0]?.message).toContain(claim?.metadata.name)
    await azure.face.delete({ ...kinds.nodePools, name: 'default' })
    await scale(azure, 'web', 0)
    await azure.until('the class is gone', async () => (await azure.all(kinds.nodeClasses)).length === 0)
    expect(isEmpty(azure)).toBe(true)
  }, 60_000)

  test('Z-CTL-06: conditions of the class are counted and told', async () => {
    const azure = await start()
    const controller = await azure.startController()
    await applyAzureDefaults(azure, { nodeClass: { fipsMode: 'FIPS', imageFamily: 'Ubuntu' } })
    await azure.until(
      'the class is not ready',
      async () => conditionOf(await azure.one(kinds.nodeClasses, 'default'), 'ImagesReady')?.status === 'False',
    )
    await azure.face.patch({ ...kinds.nodeClasses, name: 'default' }, 'merge', { spec: { fipsMode: 'Disabled' } })
    await azure.until('the class is ready', () => isReady(azure))
    await azure.clock.advance(minute)
    const text = await controller.metrics()
    expect(text).toMatch(/operator_aksnodeclass_status_condition_count\{[^}]*type="Ready"/)
    const told = (await eventsOf(azure)).map(({ message = '' }) => message)
    expect(told.some((message) => message.includes('ImagesReady'))).toBe(true)
  }, 60_000)

  test('Z-GC-01, Z-GC-02: a VM without a claim is ended when it is five minutes old; strangers are left alone', async () => {
    const azure = await start()
    await azure.startController()
    await applyAzureDefaults(azure)
    const put = (name: string, tags: Readonly<Record<string, string>>) =>
      azure.world.put({
        id: `/subscriptions/${subscription}/resourceGroups/${nodeGroup}/providers/${vmType}/${name}`,
        name,
        type: vmType,
        location: 'westeurope',
        tags,
        properties: {
          hardwareProfile: { vmSize: 'Standard_D2s_v5' },
          timeCreated: new Date(azure.clock.nowMs()).toISOString(),
        },
      })
    put('aks-orphan', { 'karpenter.sh_nodepool': 'gone', 'karpenter.azure.com_cluster': 'test' })
    put('aks-of-another', { 'karpenter.sh_nodepool': 'gone', 'karpenter.azure.com_cluster': 'other' })
    put('aks-agentpool-1', {})
    await azure.clock.advance(4 * minute)
    expect(azure.vms()).toContain('aks-orphan')
    await azure.until('the orphan is ended', () => !azure.vms().includes('aks-orphan'), 5 * minute)
    await azure.clock.advance(10 * minute)
    expect(azure.vms()).toEqual(['aks-of-another', 'aks-agentpool-1'])
  }, 60_000)

  test('Z-CP-15: a spot machine whose eviction is announced is replaced before it is gone, without a feature gate', async () => {
    const azure = await start()
    await azure.startController()
    await applyAzureDefaults(azure, {
      template: { requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] }] },
    })
    await applyDeployment(azure, 'web', 1, '1')
    await untilRunning(azure, 1)
    const name = await announce(azure, 'PreemptionScheduled', 'Preempt', 30_000)
    await azure.until('the node goes', async () => (await azure.one(kinds.nodes, name)) === undefined, 2 * minute)
    await untilRunning(azure, 1)
    expect((await azure.all(kinds.nodes)).map(({ metadata }) => metadata.name)).not.toContain(name)
  }, 60_000)
})

describe('events of a VM that it survives', () => {
  const withEvent = async (annotations: Readonly<Record<string, string>>, event: string) => {
    const azure = await start()
    await azure.startController()
    await applyAzureDefaults(azure, { annotations })
    await applyDeployment(azure, 'web', 1, '1')
    await untilRunning(azure, 1)
    const name = await announce(azure, 'VMEventScheduled', event, 15 * minute)
    await azure.clock.advance(5 * minute)
    return { isThere: (await azure.one(kinds.nodes, name)) !== undefined, runs: await runningPods(azure) }
  }
  const replace = { 'scantling.sh/rebalance': 'replace' }

  test('W-01: have the node replaced in time where its NodePool asks for it', async () => {
    expect(await withEvent(replace, 'Redeploy')).toEqual({ isThere: false, runs: 1 })
  }, 60_000)

  test('W-01: are nothing to a NodePool that does not ask, and a freeze is nothing to any', async () => {
    expect(await withEvent({}, 'Redeploy')).toEqual({ isThere: true, runs: 1 })
    expect(await withEvent(replace, 'Freeze')).toEqual({ isThere: true, runs: 1 })
  }, 60_000)
})
