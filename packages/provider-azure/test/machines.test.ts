import { afterEach, describe, expect, test } from '@jest/globals'
import { Requirements, type Instance } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { AzureDetails, MachineDetails } from '../src/instances/index.ts'
import { machineTimeoutMs } from '../src/machines/index.ts'
import { claimOf } from './builders.ts'
import { agentPool, clusterGroup, launchErrors, managedCluster, subscription } from './emulator/index.ts'
import { machineClass, startMachineRig, type MachineRig } from './machine-rig.ts'

const rigs: Array<MachineRig> = []
const start = async (...options: Parameters<typeof startMachineRig>) => {
  const rig = await startMachineRig(...options)
  rigs.push(rig)
  return rig
}
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.close()))
})

const right = <L, A>(found: E.Either<L, A>): A => {
  if (E.isLeft(found)) throw new Error(JSON.stringify(found.left))
  return found.right
}
const left = <L, A>(found: E.Either<L, A>): L => {
  if (E.isRight(found)) throw new Error(JSON.stringify(found.right))
  return found.left
}
const poolId = `/subscriptions/${subscription}/resourceGroups/${clusterGroup}/providers/Microsoft.ContainerService/managedClusters/${managedCluster}/agentPools/${agentPool}`
const machineIn = ({ emulator }: MachineRig, name: string) => emulator.world.get(`${poolId}/machines/${name}`)
const refOf = (instance: Instance<AzureDetails>, name: string) => ({
  providerId: instance.providerId,
  claim: claimOf({ name, annotations: instance.annotations ?? {} }),
})
const made = async (rig: MachineRig, name: string) => right(await rig.launch(name)).instance
const byText = (a: string, b: string) => (a < b ? -1 : 1)
/** What converging says of an instance of a claim that is not registered yet, unless `claim` says otherwise. */
const converged = async (
  rig: MachineRig,
  instance: Instance<AzureDetails>,
  claim = claimOf({ name: 'general-abcde' }),
) => right(await rig.machines.converge({ claim, nodeClass: machineClass(), instance }, rig.call)())
const later = (ms: number) => new Promise((wake) => setTimeout(wake, ms))
const putsOf = (rig: MachineRig) => rig.emulator.calls.filter(({ method }) => method === 'PUT')

describe('one machine', () => {
  test('Z-MACH-14, Z-MACH-15: one PUT with its header, whose answer tells all; then what became of it', async () => {
    const rig = await start({ operationMs: 60_000 })
    const instance = await made(rig, 'general-abcde')
    expect(rig.requests()).toEqual(['machines/read 200', 'machines/write 201'])
    expect(putsOf(rig).map(({ headers }) => headers['allowspotvmsystemnode'])).toEqual(['true'])
    expect(instance).toMatchObject({
      phase: 'pending',
      instanceType: 'Standard_D2s_v5',
      zone: 'westeurope-1',
      capacityType: 'on-demand',
      imageId: 'AKSUbuntu-2204gen2containerd-202511.11.0',
      owner: { nodePool: 'general', nodeClaim: 'general-abcde' },
      annotations: { 'karpenter.azure.com/aks-machine-resource-id': `${poolId}/machines/general-abcde` },
    })
    expect(instance.providerId).toMatch(
      /^azure:\/\/\/subscriptions\/.*\/resourceGroups\/mc_cluster_test_region\/.*\/aks-machines-general-abcde-[0-9a-f]{8}-vm$/,
    )
  })

  test('Z-MACH-15: an answer without what nodes are told by is asked for again; without it the launch failed', async () => {
    const rig = await start()
    const { world } = rig.emulator
    const put = world.put.bind(world)
    let hidden = 2
    world.put = (resource) => {
      if (resource.name === 'general-abcde' && hidden-- > 0) {
        const { resourceId: _, ...properties } = resource.properties
        return put({ ...resource, properties })
      }
      return put(resource)
    }
    expect(left(await rig.launch('general-abcde')).error.message).toBe('Machine general-abcde has no resourceId')
  })

  test('Z-MACH-15: a machine that fails later says of what: the first detail, with its offerings', async () => {
    const rig = await start({ operationMs: 0 })
    rig.emulator.world.launchFaults.push({ phase: 'operation', error: launchErrors.zonalAllocationFailed })
    const failure = left(await rig.launch('general-abcde'))
    expect(failure).toMatchObject({ reason: 'ZonalAllocationFailure', keepClaim: true })
    expect(failure.unavailable).toHaveLength(1)
    // It does not stay behind.
    await later(5)
    expect(machineIn(rig, 'general-abcde')).toBeUndefined()
  })

  test('Z-BAT-08: while it is made it is pending, then converged; failed, deleted and late ones fail', async () => {
    const rig = await start({ operationMs: 60_000 })
    const instance = await made(rig, 'general-abcde')
    const outcomeIn = (provisioningState: string, changes: Partial<Instance<AzureDetails>> = {}) => {
      const details: MachineDetails = { ...(instance.details as MachineDetails), provisioningState }
      return converged(rig, { ...instance, details, ...changes })
    }
    expect(await outcomeIn('Creating')).toEqual({ _tag: 'Pending', reason: 'MachineCreating', retryAfterMs: 5000 })
    expect(await outcomeIn('Updating')).toMatchObject({ _tag: 'Pending' })
    expect(await outcomeIn('Strange')).toMatchObject({ _tag: 'Pending' })
    expect(await outcomeIn('Succeeded')).toEqual({ _tag: 'Converged' })
    // A node that works is not ended because an update of it takes long, or fails.
    const old = {
      ...instance,
      launchedAtMs: 0,
      details: { ...(instance.details as MachineDetails), provisioningState: 'Updating' },
    }
    expect(await converged(rig, old, claimOf({ name: 'general-abcde', registered: true }))).toMatchObject({
      _tag: 'Converged',
    })
    expect(await outcomeIn('Deleting')).toMatchObject({ _tag: 'Failed' })
    expect(await outcomeIn('Creating', { launchedAtMs: Date.now() - machineTimeoutMs })).toMatchObject({
      _tag: 'Failed',
      failure: { error: { message: expect.stringContaining('after 15 minutes') } },
    })
    const failure = {
      action: 'a',
      code: 'QuotaExceeded',
      message: 'm',
      phase: 'operation' as const,
      details: [{ code: 'SkuNotAvailable', message: 'sold out' }],
    }
    expect(
      await outcomeIn('Failed', {
        details: { ...(instance.details as MachineDetails), provisioningState: 'Failed', failure },
      }),
    ).toMatchObject({ _tag: 'Failed', failure: { reason: 'SKUNotAvailable' } })
  })

  test('Z-MACH-05: a machine that is there is taken, if it is of this claim and has not failed', async () => {
    const rig = await start({ operationMs: 60_000 })
    const instance = await made(rig, 'general-abcde')
    const restarted = await rig.restarted()
    expect(right(await restarted.launch('general-abcde')).instance).toEqual(instance)
    expect(restarted.requests()).toEqual(['machines/read 200'])

    const other = machineIn(rig, 'general-abcde')
    if (other !== undefined) other.properties['tags'] = { 'karpenter.azure.com_aksmachine_nodeclaim': 'another' }
    const third = await rig.restarted()
    expect(left(await third.launch('general-abcde')).error).toMatchObject({
      _tag: 'InvalidRequest',
      message: 'Machine general-abcde is not of NodeClaim general-abcde: delete it, or the NodeClaim',
    })
    expect(putsOf(rig)).toHaveLength(1)
  })

  test('Z-MACH-05: one that another process was faster with is taken too, whatever our request was answered', async () => {
    const rig = await start({ operationMs: 60_000 })
    const other = await rig.restarted()
    // Both have looked before either has put.
    await rig.launch('first-aaaaa')
    await other.launch('second-bbbbb')
    const instance = await made(rig, 'general-abcde')
    const larger = other.types.filter(({ name }) => name === 'Standard_D8s_v5') as [(typeof other.types)[number]]
    expect(right(await other.launch('general-abcde', { candidates: larger })).instance).toEqual(instance)
    expect(machineIn(rig, 'general-abcde')).toBeDefined()
  })

  test('Z-MACH-16: what a refused request left is deleted, and its error stands', async () => {
    const rig = await start({ operationMs: 0 })
    rig.emulator.world.launchFaults.push({ phase: 'request', error: launchErrors.skuNotAvailable, times: 1 })
    expect(left(await rig.launch('general-abcde'))).toMatchObject({ reason: 'SKUNotAvailable', keepClaim: true })
    expect(rig.emulator.calls.some(({ action }) => action.endsWith('deleteMachines/action'))).toBe(false)

    // An answer that got lost is not the machine's end; a machine that failed meanwhile is.
    rig.losePuts(1)
    expect(right(await rig.launch('general-klmno')).instance.owner.nodeClaim).toBe('general-klmno')
    rig.losePuts(1)
    rig.emulator.world.launchFaults.push({ phase: 'operation', error: launchErrors.allocationFailed, times: 1 })
    expect(left(await rig.launch('general-fghij')).error.code).toBe('InternalServerError')
    await later(60)
    expect(machineIn(rig, 'general-fghij')).toBeUndefined()
  })

  test('Z-MACH-17: machines without what nodes are told by cannot be read; regular ones say nothing of it', async () => {
    const rig = await start({ operationMs: 0 })
    await made(rig, 'general-abcde')
    const spot = right(
      await rig.launch('general-fghij', {
        claim: claimOf({
          name: 'general-fghij',
          requirements: Requirements.fromLabels({ 'karpenter.sh/capacity-type': 'spot' }),
        }),
      }),
    ).instance
    expect(spot.capacityType).toBe('spot')
    const broken = machineIn(rig, 'general-abcde')
    delete broken?.properties['resourceId']
    expect(right(await rig.machines.list(rig.call)())).toMatchObject({
      instances: [{ capacityType: 'spot' }],
      unreadable: [{ message: 'Machine general-abcde has no resourceId' }],
    })
  })

  test('Z-MACH-18, Z-IPU-04: other tags put the whole machine, if nobody changed it meanwhile; once', async () => {
    const rig = await start({ operationMs: 0 })
    await made(rig, 'general-abcde')
    const registered = (annotations = {}) => claimOf({ name: 'general-abcde', registered: true, annotations })
    const instanceNow = async () => {
      const [one] = right(await rig.machines.list(rig.call)()).instances
      if (one === undefined) throw new Error('none')
      return one
    }
    const resource = machineIn(rig, 'general-abcde')
    if (resource !== undefined) resource.properties['tags'] = { 'karpenter.sh_nodepool': 'general' }
    const instance = await instanceNow()
    const puts = () => putsOf(rig).length - 1
    expect(await converged(rig, instance)).toEqual({ _tag: 'Converged' })
    const { annotations } = (await converged(rig, instance, registered())) as { annotations: Record<string, string> }
    expect(annotations['karpenter.azure.com/in-place-update-hash']).toMatch(/^\d+$/)
    expect(puts()).toBe(1)
    expect(machineIn(rig, 'general-abcde')?.properties).toMatchObject({
      tags: { 'karpenter.azure.com_aksmachine_nodeclaim': 'general-abcde' },
      priority: 'Regular',
      hardware: { vmSize: 'Standard_D2s_v5' },
    })
    expect(putsOf(rig).at(-1)?.headers['if-match']).toMatch(/^[0-9a-f]{16}$/)
    // Neither with the annotation nor with the tags is there anything to do.
    expect(await converged(rig, instance, registered(annotations))).toEqual({ _tag: 'Converged' })
    expect(await converged(rig, await instanceNow(), registered())).toEqual({ _tag: 'Converged', annotations })
    expect(puts()).toBe(1)

    const get = rig.emulator.world.get.bind(rig.emulator.world)
    let reads = 0
    rig.emulator.world.get = (id) => {
      const found = get(id)
      // Changed between our read and our write.
      if (found?.name === 'general-abcde' && ++reads === 2) found.properties['eTag'] = 'other'
      return found
    }
    const update = () =>
      rig.machines.converge(
        { claim: registered(), nodeClass: machineClass({ tags: { team: 'b' } }), instance },
        rig.call,
      )()
    expect(left(await update())).toMatchObject({ retryAfterMs: 5000 })
    rig.emulator.world.get = get
    rig.emulator.world.resources.delete(`${poolId}/machines/general-abcde`.toLowerCase())
    expect(left(await update())._tag).toBe('InstanceNotFound')
  })

  test('Z-MACH-19: machines that end together end by one call; what is gone is gone', async () => {
    const rig = await start({ operationMs: 100, pageSize: 100 })
    const names = ['general-aaaaa', 'general-bbbbb', 'general-ccccc']
    const instances = await Promise.all(names.map((name) => made(rig, name)))
    const terminate = () =>
      Promise.all(instances.map((one, index) => rig.machines.terminate(refOf(one, names[index] ?? ''), rig.call)()))
    expect((await terminate()).map(right)).toEqual(['Started', 'Started', 'Started'])
    const deletions = () => rig.emulator.calls.filter(({ action }) => action.endsWith('deleteMachines/action'))
    expect(deletions()).toHaveLength(1)
    // Asked again while it is on its way out: no second call.
    expect((await terminate()).map(right)).toEqual(['Started', 'Started', 'Started'])
    expect(deletions()).toHaveLength(1)
    await later(150)
    // Nobody asks how the operation stands: the list tells.
    expect(rig.emulator.calls.filter(({ path }) => path.includes('/operations/'))).toEqual([])
    const restarted = await rig.restarted()
    const [first] = instances
    if (first === undefined) throw new Error('none')
    const gone = refOf(first, 'general-aaaaa')
    expect(right(await restarted.machines.terminate(gone, rig.call)())).toBe('Gone')
    expect(left(await restarted.machines.get(gone, rig.call)())._tag).toBe('InstanceNotFound')
  })

  test('Z-MACH-19: AKS’ own word for machines that are gone is no error', async () => {
    const rig = await start({ operationMs: 60_000 })
    const instance = await made(rig, 'general-abcde')
    await rig.machines.terminate(refOf(instance, 'other'), rig.call)()
    rig.emulator.world.actionFaults.set('Microsoft.ContainerService/managedClusters/agentPools/deleteMachines/action', {
      error: { status: 400, code: 'InvalidParameter', message: 'Cannot find any valid machines to delete.' },
    })
    const another = await made(rig, 'general-fghij')
    expect(right(await rig.machines.terminate(refOf(another, 'general-fghij'), rig.call)())).toBe('Started')
  })

  test('Z-MACH-20: all pages; machines of others are not ours; no pool, no machines', async () => {
    const rig = await start({ operationMs: 0, pageSize: 2 })
    for (const name of ['general-aaaaa', 'general-bbbbb', 'general-ccccc', 'general-ddddd', 'general-eeeee'])
      await made(rig, name)
    const others = machineIn(rig, 'general-aaaaa')
    if (others !== undefined) others.properties['tags'] = { team: 'x' }
    const { instances, unreadable } = right(await rig.machines.list(rig.call)())
    expect(instances.map(({ owner }) => String(owner.nodeClaim)).sort()).toEqual([
      'general-bbbbb',
      'general-ccccc',
      'general-ddddd',
      'general-eeeee',
    ])
    expect(unreadable).toEqual([])
    rig.emulator.world.resources.delete(poolId.toLowerCase())
    expect(right(await rig.machines.list(rig.call)())).toEqual({ instances: [], unreadable: [] })
  })

  test('Z-MACH-04: whose an instance is: its claim says, or the name of its VM', async () => {
    const rig = await start({ operationMs: 0 })
    const { providerId } = await made(rig, 'general-abcde')
    expect(rig.machines.owns({ providerId })).toBe(true)
    expect(right(await rig.machines.get({ providerId }, rig.call)()).owner.nodeClaim).toBe('general-abcde')
    const vm = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/aks-general-abcde'
    expect(rig.machines.owns({ providerId: `azure://${vm}` })).toBe(false)
  })
})

describe('batches of machines', () => {
  const batched = { provisionMode: 'aksmachineapiheaderbatch' } as const
  const names = (count: number) =>
    Array.from({ length: count }, (_, index) => `general-a${String(index).padStart(4, '0')}`)
  const batchSizes = (rig: MachineRig) =>
    putsOf(rig).map(({ headers }) => {
      const header = headers['batchputmachine']
      return header === undefined ? 1 : (JSON.parse(header) as { batchMachines: Array<unknown> }).batchMachines.length
    })

  test('Z-BAT-02, Z-BAT-06: 120 machines are made by three requests and read by lists, not one by one', async () => {
    const rig = await start({ operationMs: 60_000, pageSize: 1000 }, batched)
    const launched = await Promise.all(names(120).map((name) => made(rig, name)))
    expect(new Set(launched.map(({ owner }) => owner.nodeClaim)).size).toBe(120)
    expect(batchSizes(rig)).toEqual([50, 50, 20])
    const reads = rig.requests().filter((request) => request.startsWith('machines/read'))
    expect(reads.length).toBeLessThanOrEqual(6)

    // Polled together, they are read together.
    const before = rig.requests().length
    const found = await Promise.all(
      launched.map((one, index) => rig.machines.get(refOf(one, names(120)[index] ?? ''), rig.call)()),
    )
    expect(found.every(E.isRight)).toBe(true)
    expect(rig.requests().slice(before)).toEqual(['machines/read 200'])
  })

  test('Z-BAT-02: what may not share a request does not, and what comes alone is put alone', async () => {
    const rig = await start({ operationMs: 0, pageSize: 100 }, batched)
    const larger = rig.types.filter(({ name }) => name === 'Standard_D4s_v5') as [(typeof rig.types)[number]]
    const [a, b, c] = await Promise.all([
      made(rig, 'general-aaaaa'),
      made(rig, 'general-bbbbb'),
      rig.launch('general-ccccc', { candidates: larger }).then((one) => right(one).instance),
    ])
    expect([a.instanceType, b.instanceType, c.instanceType]).toEqual([
      'Standard_D2s_v5',
      'Standard_D2s_v5',
      'Standard_D4s_v5',
    ])
    expect(batchSizes(rig).sort((a, b) => a - b)).toEqual([1, 2])
  })

  test('Z-BAT-02: a batch waits no longer than it may, though others keep coming', async () => {
    const rig = await start({ operationMs: 0, pageSize: 100 }, { ...batched, batchIdleMs: 150, batchMaxMs: 200 })
    const running: Array<Promise<unknown>> = []
    for (const name of names(6)) {
      running.push(rig.launch(name))
      await later(60)
    }
    await Promise.all(running)
    expect(batchSizes(rig).length).toBeGreaterThan(1)
  })

  test('Z-BAT-05: who leaves stops waiting; what has left is made all the same, and found by the next try', async () => {
    const rig = await start({ operationMs: 0, pageSize: 100 }, batched)
    const controller = new AbortController()
    const leaving = rig.launch('general-aaaaa', {}, { ...rig.call, signal: controller.signal })
    const staying = rig.launch('general-bbbbb')
    const begin = rig.emulator.world.begin.bind(rig.emulator.world)
    rig.emulator.world.begin = (error) => {
      // The request has arrived.
      controller.abort()
      return begin(error)
    }
    expect(left(await leaving).error.code).toBe('Cancelled')
    expect(E.isRight(await staying)).toBe(true)
    expect(machineIn(rig, 'general-aaaaa')).toBeDefined()
    const puts = putsOf(rig).length
    expect(right(await rig.launch('general-aaaaa')).instance.owner.nodeClaim).toBe('general-aaaaa')
    expect(putsOf(rig)).toHaveLength(puts)
  })

  test('Z-BAT-04, Z-MACH-16: machines of a batch fail one by one', async () => {
    const rig = await start({ operationMs: 0, pageSize: 100 }, batched)
    rig.emulator.world.launchFaults.push({ phase: 'request', error: launchErrors.zonalAllocationFailed, times: 1 })
    const results = await Promise.all(names(3).map((name) => rig.launch(name)))
    expect(results.map((result) => (E.isLeft(result) ? result.left.reason : 'made')).toSorted(byText)).toEqual([
      'ZonalAllocationFailure',
      'made',
      'made',
    ])
    expect(batchSizes(rig)).toEqual([3])
  })

  test('Z-BAT-04: where AKS does not tell machines apart, each is looked for, and put alone if it is not there', async () => {
    const rig = await start({ operationMs: 0, pageSize: 100 }, batched)
    rig.emulator.world.launchFaults.push({
      phase: 'request',
      error: launchErrors.zonalAllocationFailed,
      times: 1,
    })
    rig.emulator.world.hidesBatchDetails = true
    const results = await Promise.all(names(3).map((name) => rig.launch(name)))
    expect(results.filter(E.isRight)).toHaveLength(3)
    expect(batchSizes(rig)).toEqual([3, 1])
  })
})

describe('reading together', () => {
  test('Z-BAT-07: a launch trusts a list of half a minute, and none from before its own request', async () => {
    const rig = await start({ operationMs: 0, pageSize: 100 })
    await made(rig, 'general-aaaaa')
    await made(rig, 'general-bbbbb')
    expect(rig.requests().filter((request) => request.startsWith('machines/read'))).toHaveLength(1)
    // Its own request makes what is known of the machine old.
    await made(rig, 'general-aaaaa')
    expect(rig.requests().filter((request) => request.startsWith('machines/read'))).toHaveLength(2)
    expect(putsOf(rig)).toHaveLength(2)
  })

  test('Z-BAT-07: one or few are read by themselves, and never from memory', async () => {
    const rig = await start({ operationMs: 0, pageSize: 100 })
    const instance = await made(rig, 'general-aaaaa')
    const before = rig.emulator.calls.length
    for (let turn = 0; turn < 2; turn += 1) right(await rig.machines.get(refOf(instance, 'general-aaaaa'), rig.call)())
    expect(rig.emulator.calls.slice(before).map(({ path }) => path)).toEqual([
      `${poolId}/machines/general-aaaaa`,
      `${poolId}/machines/general-aaaaa`,
    ])
  })

  test('a list that fails is everybody’s failure, and the next one asks again', async () => {
    const rig = await start({ operationMs: 0 })
    rig.emulator.world.actionFaults.set('Microsoft.ContainerService/managedClusters/agentPools/machines/read', {
      error: { status: 403, code: 'AuthorizationFailed', message: 'no' },
      times: 1,
    })
    expect(left(await rig.machines.list(rig.call)())._tag).toBe('Unauthorized')
    expect(right(await rig.machines.list(rig.call)()).instances).toEqual([])
  })
})
