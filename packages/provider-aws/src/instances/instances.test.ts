import { describe, expect, test } from '@jest/globals'
import type { CreateFleetCommandInput, Instance as Ec2Instance } from '@aws-sdk/client-ec2'
import type { ManagedInstance } from '@scantling/core'
import { leftOf, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { awsLabelKeys, awsResources } from '../labels/index.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import { instanceIdOf, providerIdOf, zoneOfProviderId } from '../provider-id.ts'
import { tag, type World } from '../../test/fake-aws/index.ts'
import { claimFor, rig } from '../../test/rig.ts'
import type { Ec2Details } from './details.ts'
import { instanceOf, purchaseOf } from './instance-of.ts'

const ours = [
  tag('karpenter.sh/nodepool', 'default'),
  tag('karpenter.k8s.aws/ec2nodeclass', 'default'),
  tag('eks:eks-cluster-name', 'demo'),
  tag('kubernetes.io/cluster/demo', 'owned'),
]
const machine = (id: string, changes: Partial<Ec2Instance> = {}): Ec2Instance => ({
  InstanceId: id,
  InstanceType: 'm5.large',
  ImageId: 'ami-1',
  LaunchTime: new Date('2026-05-31T00:00:00Z'),
  State: { Name: 'running' },
  Placement: { AvailabilityZone: 'us-west-2a', Tenancy: 'default' },
  SubnetId: 'subnet-1',
  SecurityGroups: [{ GroupId: 'sg-2' }, { GroupId: 'sg-1' }],
  Tags: [...ours],
  ...changes,
})
const neverThere = () => Promise.reject(new Error('The member is not there'))
const idOf = (id: string) => providerIdOf('us-west-2a', id)
const withMachines = (count: number, world: Partial<World> = {}) =>
  rig({ world: { instances: Array.from({ length: count }, (_, index) => machine(`i-${index + 1}`)), ...world } })
const actions = (made: Awaited<ReturnType<typeof rig>>, action: string) =>
  made.aws.inputsOf<{ InstanceIds?: ReadonlyArray<string>; TotalTargetCapacity?: number }>(action)

describe('batchers', () => {
  test('A-BAT-01, A-BAT-02: equal wishes share a fleet and each claim gets a machine of its own', async () => {
    const made = await rig()
    await made.resolve()
    const before = made.aws.inputsOf('ec2:CreateFleet').length
    const requests = await Promise.all(Array.from({ length: 20 }, (_, index) => made.requestFor(claimFor(`c${index}`))))
    const launched = await Promise.all(requests.map((request) => made.run(made.provider.launch(request, made.call))))
    const ids = launched.map((one) => rightOf(one).instance.providerId)
    expect(new Set(ids).size).toBe(20)
    const fleets = made.aws.inputsOf<CreateFleetCommandInput>('ec2:CreateFleet').slice(before)
    expect(fleets.map(({ TargetCapacitySpecification: target }) => target?.TotalTargetCapacity)).toEqual([20])
    expect(made.recorded).toContainEqual({
      metric: 'karpenter_cloudprovider_batcher_batch_size',
      value: 20,
      labels: { batcher: 'create_fleet' },
    })
  })

  test('A-BAT-02: claims beyond what EC2 started get its errors, or that it gave none', async () => {
    const made = await rig()
    await made.resolve()
    // Addresses for three machines, in one zone.
    made.aws.world.subnets.forEach(
      (subnet) => (subnet.AvailableIpAddressCount = subnet.SubnetId === 'subnet-1' ? 3 : 0),
    )
    const requests = await Promise.all(Array.from({ length: 5 }, (_, index) => made.requestFor(claimFor(`c${index}`))))
    const launched = await Promise.all(requests.map((request) => made.run(made.provider.launch(request, made.call))))
    expect(launched.map(E.isRight)).toEqual([true, true, true, false, false])
    const [first] = launched.filter(E.isLeft)
    expect(first?.left.error.message).toContain('InsufficientFreeAddressesInSubnet')
  })

  test('A-BAT-03: descriptions share a request; what is missing from the answer is asked for again by itself', async () => {
    const made = await withMachines(3)
    const get = (id: string) => made.run(made.provider.get?.({ providerId: idOf(id) }, made.call) ?? neverThere)
    expect((await Promise.all([get('i-1'), get('i-2')])).map(E.isRight)).toEqual([true, true])
    expect(actions(made, 'ec2:DescribeInstances').map(({ InstanceIds }) => InstanceIds)).toEqual([['i-1', 'i-2']])
    const [found, missing] = await Promise.all([get('i-3'), get('i-9')])
    expect(E.isRight(found)).toBe(true)
    expect(leftOf(missing)._tag).toBe('InstanceNotFound')
    expect(actions(made, 'ec2:DescribeInstances').map(({ InstanceIds }) => InstanceIds)).toEqual([
      ['i-1', 'i-2'],
      ['i-3', 'i-9'],
      ['i-3'],
      ['i-9'],
    ])
  })

  test('A-BAT-04: terminations share a request; what EC2 does not confirm is tried by itself', async () => {
    const made = await withMachines(3)
    const end = (id: string) => made.run(made.provider.terminate({ providerId: idOf(id) }, made.call))
    expect((await Promise.all([end('i-1'), end('i-2')])).map(rightOf)).toEqual(['Started', 'Started'])
    expect(actions(made, 'ec2:TerminateInstances').map(({ InstanceIds }) => InstanceIds)).toEqual([['i-1', 'i-2']])
    made.aws.failNext('ec2:TerminateInstances', { code: 'InternalError', httpStatus: 500 })
    const other = await withMachines(3)
    other.aws.failNext('ec2:TerminateInstances', { code: 'InternalError', httpStatus: 500 })
    const ended = await Promise.all(
      ['i-1', 'i-2'].map((id) => other.run(other.provider.terminate({ providerId: idOf(id) }, other.call))),
    )
    expect(ended.map(rightOf)).toEqual(['Started', 'Started'])
    expect(actions(other, 'ec2:TerminateInstances').map(({ InstanceIds }) => InstanceIds)).toEqual([
      ['i-1', 'i-2'],
      ['i-1'],
      ['i-2'],
    ])
  })

  test('A-BAT-05: a request is for one instance; a window closes when idle, and one caller that leaves takes nobody along', async () => {
    const made = await withMachines(2)
    const controller = new AbortController()
    const call = { ...made.call, signal: controller.signal }
    const leaving = made.provider.get?.({ providerId: idOf('i-1') }, call)()
    const staying = made.provider.get?.({ providerId: idOf('i-2') }, made.call)()
    await made.clock.advance(50)
    controller.abort()
    await made.clock.advance(99)
    expect(E.isLeft((await leaving) ?? E.left(undefined))).toBe(true)
    await made.clock.advance(10)
    expect(E.isRight((await staying) ?? E.left(undefined))).toBe(true)
    expect(actions(made, 'ec2:DescribeInstances').map(({ InstanceIds }) => InstanceIds)).toEqual([['i-2']])
  })

  test('A-BAT-06: windows and sizes of batches are measured', async () => {
    const made = await withMachines(1)
    rightOf(await made.run(made.provider.terminate({ providerId: idOf('i-1') }, made.call)))
    for (const batcher of ['describe_instances', 'terminate_instances'])
      for (const metric of ['batch_time_seconds', 'batch_size'])
        expect(made.recorded).toContainEqual({
          metric: `karpenter_cloudprovider_batcher_${metric}`,
          value: metric === 'batch_size' ? 1 : 0.1,
          labels: { batcher },
        })
  })
})

describe('get and list', () => {
  test('A-INS-01, A-INS-02: one is asked of EC2 each time; terminated, stopped and unknown ones are told apart', async () => {
    const made = await withMachines(1, {
      instances: [
        machine('i-1'),
        machine('i-2', { State: { Name: 'stopped' } }),
        machine('i-3', { State: { Name: 'terminated' } }),
      ],
    })
    const get = (id: string) => made.run(made.provider.get?.({ providerId: idOf(id) }, made.call) ?? neverThere)
    expect(rightOf(await get('i-1')).phase).toBe('running')
    expect(rightOf(await get('i-1')).phase).toBe('running')
    expect(actions(made, 'ec2:DescribeInstances')).toHaveLength(2)
    expect(rightOf(await get('i-2')).phase).toBe('stopped')
    expect(leftOf(await get('i-3'))._tag).toBe('InstanceNotFound')
    expect(leftOf(await get('i-4'))._tag).toBe('InstanceNotFound')
    expect(leftOf(await made.run(made.provider.get?.({ providerId: 'kwok://x' }, made.call) ?? neverThere))._tag).toBe(
      'InvalidRequest',
    )
  })

  test('A-INS-03, A-CLP-06: all pages of the cluster’s machines, with their owners; others’ never', async () => {
    const foreign = machine('i-f', {
      Tags: ours.map(({ Key = '', Value = '' }) => tag(Key, Key === 'eks:eks-cluster-name' ? 'other' : Value)),
    })
    const mine = Array.from({ length: 5 }, (_, index) => machine(`i-${index + 1}`))
    const bare = machine('i-b', { Tags: [tag('eks:eks-cluster-name', 'demo')] })
    const odd = machine('i-o', { Placement: {} })
    const gone = machine('i-g', { State: { Name: 'terminated' } })
    const made = await rig({ world: { instances: [...mine, foreign, bare, odd, gone], pageSize: 2 } })
    const { instances, unreadable } = rightOf(await made.run(made.provider.list(made.call)))
    expect(instances.map(({ aliases }) => aliases?.[0])).toEqual(['i-1', 'i-2', 'i-3', 'i-4', 'i-5'])
    expect(instances[0]?.owner).toEqual({ nodePool: 'default', nodeClass: 'default' })
    // One that cannot be read does not hide the others (W-05).
    expect(unreadable).toEqual([{ message: 'Instance i-o has no type or no zone' }])
    made.aws.failNext('ec2:DescribeInstances', { code: 'RequestLimitExceeded' })
    expect(leftOf(await made.run(made.provider.list(made.call)))._tag).toBe('Throttled')
  })

  test('A-INS-04: ending asks first, and does not repeat what goes on; a failure is counted by zone', async () => {
    const made = await withMachines(2, { shutdownMs: 30_000 })
    const end = (id: string) => made.run(made.provider.terminate({ providerId: idOf(id) }, made.call))
    expect(rightOf(await end('i-1'))).toBe('Started')
    expect(rightOf(await end('i-1'))).toBe('Started')
    expect(actions(made, 'ec2:TerminateInstances')).toHaveLength(1)
    await made.clock.advance(30_000)
    expect(rightOf(await end('i-1'))).toBe('Gone')
    expect(rightOf(await end('i-9'))).toBe('Gone')
    made.aws.failNext('ec2:TerminateInstances', { code: 'UnauthorizedOperation', httpStatus: 403 })
    expect(leftOf(await end('i-2'))._tag).toBe('Unauthorized')
    expect(made.recorded).toContainEqual({
      metric: 'karpenter_cloudprovider_instance_termination_failures_total',
      value: 1,
      labels: { zone: 'us-west-2a', zone_id: '' },
    })
  })

  test('A-CLP-05, A-INS-05: provider ids, phases and how machines were bought', () => {
    expect(providerIdOf('us-west-2a', 'i-1')).toBe('aws:///us-west-2a/i-1')
    expect([instanceIdOf('aws:///us-west-2a/i-1'), zoneOfProviderId('aws:///us-west-2a/i-1')]).toEqual([
      'i-1',
      'us-west-2a',
    ])
    expect(instanceIdOf('gce:///zone/name')).toBeUndefined()
    const phases = ['pending', 'running', 'stopping', 'stopped', 'shutting-down'] as const
    expect(phases.map((Name) => instanceOf(machine('i-1', { State: { Name } }), true)?.phase)).toEqual([
      'pending',
      'running',
      'stopped',
      'stopped',
      'terminating',
    ])
    const only = {
      CapacityReservationSpecification: { CapacityReservationPreference: 'capacity-reservations-only' as const },
    }
    const cases: ReadonlyArray<readonly [Partial<Ec2Instance>, string]> = [
      [{ SpotInstanceRequestId: 'sir-1' }, 'spot'],
      // Some clouds say it by the life cycle alone.
      [{ InstanceLifecycle: 'spot' }, 'spot'],
      [{}, 'on-demand'],
      [{ CapacityReservationId: 'cr-1' }, 'on-demand'],
      [{ CapacityReservationId: 'cr-1', ...only }, 'reserved'],
    ]
    expect(cases.map(([changes]) => purchaseOf(machine('i-1', changes), true).capacityType)).toEqual(
      cases.map(([, expected]) => expected),
    )
    expect(purchaseOf(machine('i-1', { CapacityReservationId: 'cr-1', ...only }), false).capacityType).toBe('on-demand')
    const lifecycles = [undefined, 'capacity-block', 'interruptible-capacity-reservation'] as const
    expect(
      lifecycles.map((lifecycle) => {
        const changes = {
          CapacityReservationId: 'cr-1',
          ...only,
          ...(lifecycle && { InstanceLifecycle: lifecycle as 'capacity-block' }),
        }
        return purchaseOf(machine('i-1', changes), true).reservation
      }),
    ).toEqual([
      { id: 'cr-1', type: 'default', interruptible: false },
      { id: 'cr-1', type: 'capacity-block', interruptible: false },
      { id: 'cr-1', type: 'default', interruptible: true },
    ])
  })

  test('A-INS-06, A-CAP-12, A-PG-04: EFA devices, tenancy and partition are read; no tenancy is the default one', () => {
    const read = instanceOf(
      machine('i-1', {
        NetworkInterfaces: [{ InterfaceType: 'efa' }, { InterfaceType: 'efa-only' }, { InterfaceType: 'interface' }],
        Placement: {
          AvailabilityZone: 'us-west-2a',
          AvailabilityZoneId: 'usw2-az1',
          GroupId: 'pg-1',
          PartitionNumber: 2,
        },
      }),
      true,
    )
    expect(read?.capacity).toEqual({ [awsResources.efa]: '2' })
    expect(read?.labels).toEqual({
      [awsLabelKeys.tenancy]: 'default',
      [awsLabelKeys.zoneId]: 'usw2-az1',
      [awsLabelKeys.placementGroupId]: 'pg-1',
      [awsLabelKeys.placementGroupPartition]: '2',
    })
    expect(read?.details?.securityGroupIds).toEqual(['sg-1', 'sg-2'])
    const none = instanceOf(machine('i-1', { Placement: { AvailabilityZone: 'a', PartitionNumber: 0 } }), true)
    expect(none?.details?.placementGroupPartition).toBeUndefined()
    const byInterface = machine('i-1', { SecurityGroups: [], NetworkInterfaces: [{ Groups: [{ GroupId: 'sg-9' }] }] })
    expect(instanceOf(byInterface, true)?.details?.securityGroupIds).toEqual(['sg-9'])
  })

  test('what was launched a moment ago is there, and is ended, though EC2 does not show it yet', async () => {
    const made = await rig({ world: { hiddenForMs: 30_000 } })
    await made.resolve()
    const { instance } = rightOf(await made.launch(claimFor('one')))
    const { providerId } = instance
    const listed = async () =>
      rightOf(await made.run(made.provider.list(made.call))).instances.map((one) => one.providerId)
    expect(await listed()).toEqual([providerId])
    expect(rightOf(await made.run(made.provider.get?.({ providerId }, made.call) ?? neverThere)).providerId).toBe(
      providerId,
    )
    // EC2 denies it still: not a sign that it is gone.
    expect(leftOf(await made.run(made.provider.terminate({ providerId }, made.call)))).toMatchObject({
      code: 'NotYetVisible',
    })
    await made.clock.advance(30_000)
    expect(rightOf(await made.run(made.provider.terminate({ providerId }, made.call)))).toBe('Started')
    expect(await listed()).toEqual([])
  })

  test('A-GC-01: machines come with their age and owner, so that the shell can collect orphans', async () => {
    const made = await withMachines(1)
    const { instances } = rightOf(await made.run(made.provider.list(made.call)))
    expect(instances[0]).toMatchObject({ launchedAtMs: Date.parse('2026-05-31T00:00:00Z'), phase: 'running' })
    const { provider } = await import('../provider.ts')
    expect(provider.traits).toMatchObject({ orphanAfterMs: 30_000 })
  })
})

describe('converge', () => {
  const subject = (
    changes: Partial<ManagedInstance<Ec2NodeClass, Ec2Details>['claim']> = {},
    nodeName?: string,
    instance = instanceOf(machine('i-1'), true),
  ): ManagedInstance<Ec2NodeClass, Ec2Details> => ({
    claim: claimFor('one', { providerId: idOf('i-1'), ...changes }),
    nodeClass: {} as never,
    instance: instance as never,
    ...(nodeName !== undefined && { node: { name: nodeName, labels: {}, kubeletVersion: 'v1.34.0', capacity: {} } }),
  })
  const tagsOf = (made: Awaited<ReturnType<typeof rig>>) =>
    Object.fromEntries((made.aws.world.instances[0]?.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]))

  test('A-TAG-03: the claim’s name comes at once, the Node’s at registration; what is there stays', async () => {
    const made = await withMachines(1)
    const converge = (one: ReturnType<typeof subject>) =>
      made.run(made.provider.converge?.(one, made.call) ?? neverThere)
    expect(rightOf(await converge(subject()))).toEqual({ _tag: 'Converged' })
    expect(tagsOf(made)).toMatchObject({ 'karpenter.sh/nodeclaim': 'one' })
    const fresh = instanceOf(made.aws.world.instances[0] ?? {}, true)
    expect(rightOf(await converge(subject({}, 'node-1', fresh)))).toEqual({
      _tag: 'Converged',
      annotations: {
        'karpenter.k8s.aws/tagged': 'true',
        'compatibility.karpenter.k8s.aws/cluster-name-tagged': 'true',
      },
    })
    expect(tagsOf(made)).toMatchObject({ Name: 'node-1', 'eks:eks-cluster-name': 'demo' })
    const named = instanceOf(machine('i-1', { Tags: [...ours, tag('Name', 'mine')] }), true)
    rightOf(await converge(subject({}, 'node-2', named)))
    expect(tagsOf(made)['Name']).toBe('node-1')
  })

  test('A-TAG-04: nothing is called once the annotations say so, nor for a claim that goes; tags are paced', async () => {
    const made = await withMachines(1)
    const converge = (one: ReturnType<typeof subject>) =>
      made.run(made.provider.converge?.(one, made.call) ?? neverThere)
    const before = made.aws.board.calls.length
    const annotations = {
      'karpenter.k8s.aws/tagged': 'true',
      'compatibility.karpenter.k8s.aws/cluster-name-tagged': 'true',
    }
    rightOf(await converge(subject({ annotations }, 'node-1')))
    rightOf(await converge(subject({ deleting: true }, 'node-1')))
    expect(made.aws.board.calls).toHaveLength(before)
    rightOf(await converge(subject({ annotations: { 'karpenter.k8s.aws/tagged': 'true' } }, 'node-1')))
    expect(made.aws.board.calls).toHaveLength(before + 1)
    const results = []
    for (let index = 0; index < 120; index += 1)
      results.push(await made.provider.converge?.(subject({}, `n${index}`), made.call)())
    const refused = results.filter((one) => one !== undefined && rightOf(one)._tag === 'Pending')
    expect(refused.length).toBeGreaterThan(10)
    expect(refused[0]).toMatchObject({ right: { reason: 'AwaitingTags', retryAfterMs: expect.any(Number) } })
  })

  test('A-INS-07: a machine that is not there cannot be tagged', async () => {
    const made = await withMachines(0)
    const converged = await made.run(made.provider.converge?.(subject({}, 'node-1'), made.call) ?? neverThere)
    expect(leftOf(converged)._tag).toBe('InstanceNotFound')
  })

  test('A-PG-05: a node does not register until its partition is known', async () => {
    const made = await withMachines(1)
    const labels = { [awsLabelKeys.placementGroupPartition]: '' }
    const converge = () => made.run(made.provider.converge?.(subject({ labels }), made.call) ?? neverThere)
    expect(rightOf(await converge())).toMatchObject({ _tag: 'Pending', blocksRegistration: true })
    const [one] = made.aws.world.instances
    if (one !== undefined) one.Placement = { ...one.Placement, GroupId: 'pg-1', PartitionNumber: 3 }
    expect(rightOf(await converge())).toMatchObject({
      _tag: 'Converged',
      labels: { [awsLabelKeys.placementGroupPartition]: '3' },
    })
  })
})
