import { describe, expect, test } from '@jest/globals'
import type { CreateFleetCommandInput } from '@aws-sdk/client-ec2'
import { OfferingMemories, Requirements, Resources, type RequirementSpec } from '@scantling/core'
import { leftOf, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { awsLabelKeys, awsResources } from '../labels/index.ts'
import { tag, typeInfo } from '../../test/fake-aws/index.ts'
import { callFor, claimFor, rig } from '../../test/rig.ts'

const capacity = (...values: ReadonlyArray<string>): RequirementSpec => ({
  key: 'karpenter.sh/capacity-type',
  operator: 'In',
  values,
})
const amd64: RequirementSpec = { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }
const ofTypes = (...values: ReadonlyArray<string>): RequirementSpec => ({
  key: 'node.kubernetes.io/instance-type',
  operator: 'In',
  values,
})
const wishing = (...specs: ReadonlyArray<RequirementSpec>) => Requirements.fromSpecs([amd64, ...specs])

const ready = async (options: Parameters<typeof rig>[0] = {}) => {
  const made = await rig(options)
  await made.resolve()
  const before = made.aws.inputsOf('ec2:CreateFleet').length
  const fleets = () => made.aws.inputsOf<CreateFleetCommandInput>('ec2:CreateFleet').slice(before)
  return { ...made, fleets }
}
const overridesIn = (fleet: CreateFleetCommandInput | undefined) =>
  (fleet?.LaunchTemplateConfigs ?? []).flatMap(({ Overrides }) => Overrides ?? [])
const reservation = (changes: object = {}) => ({
  CapacityReservationId: 'cr-1',
  InstanceType: 'm5.large',
  AvailabilityZone: 'us-west-2a',
  OwnerId: '123456789012',
  InstanceMatchCriteria: 'targeted' as const,
  State: 'active' as const,
  AvailableInstanceCount: 1,
  Tags: [tag('karpenter.sh/discovery', 'demo')],
  ...changes,
})
const reserving = { capacityReservationSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'demo' } }] }

describe('a launch', () => {
  test('A-LCH-04, A-LCH-05, A-LCH-06: one instant fleet of one over every type and zone with a subnet', async () => {
    const made = await ready()
    rightOf(
      await made.launch(
        claimFor('one', { requirements: wishing(capacity('on-demand'), ofTypes('m5.large', 'c5.large')) }),
      ),
    )
    const [fleet] = made.fleets()
    expect(fleet).toMatchObject({ Type: 'instant', TargetCapacitySpecification: { TotalTargetCapacity: 1 } })
    const config = fleet?.LaunchTemplateConfigs?.[0]
    expect(config?.LaunchTemplateSpecification).toEqual({
      LaunchTemplateName: expect.stringMatching(/^karpenter\.k8s\.aws\/[0-9a-f]{16}$/),
      Version: '$Latest',
    })
    expect(overridesIn(fleet)).toHaveLength(6)
    expect(overridesIn(fleet)).toContainEqual({
      InstanceType: 'm5.large',
      SubnetId: 'subnet-2',
      ImageId: 'ami-amd64',
      AvailabilityZone: 'us-west-2b',
      Priority: 0.096,
    })
  })

  test('A-LCH-07, A-TAG-01: instance, volume and fleet bear the user’s tags under those of the cluster', async () => {
    const made = await ready({ spec: { tags: { team: 'a', Name: 'mine' } } })
    rightOf(await made.launch(claimFor('one')))
    const specs = made.fleets()[0]?.TagSpecifications ?? []
    expect(specs.map(({ ResourceType }) => ResourceType)).toEqual(['instance', 'volume', 'fleet'])
    expect(Object.fromEntries((specs[1]?.Tags ?? []).map(({ Key, Value }) => [Key, Value]))).toEqual({
      team: 'a',
      Name: 'mine',
      'kubernetes.io/cluster/demo': 'owned',
      'karpenter.sh/nodepool': 'default',
      'eks:eks-cluster-name': 'demo',
      'karpenter.k8s.aws/ec2nodeclass': 'default',
    })
  })

  test('A-LCH-08, A-LCH-09: target and allocation follow the capacity type', async () => {
    const made = await ready()
    const buy = async (name: string, type: string) => {
      rightOf(await made.launch(claimFor(name, { requirements: wishing(capacity(type)) })))
      return made.fleets().at(-1)
    }
    expect(await buy('a', 'spot')).toMatchObject({
      TargetCapacitySpecification: { DefaultTargetCapacityType: 'spot' },
      SpotOptions: { AllocationStrategy: 'price-capacity-optimized' },
    })
    expect(await buy('b', 'on-demand')).toMatchObject({
      TargetCapacitySpecification: { DefaultTargetCapacityType: 'on-demand' },
      OnDemandOptions: { AllocationStrategy: 'lowest-price' },
    })
    const kinds = [
      [{}, { target: 'on-demand', onDemand: { AllocationStrategy: 'lowest-price' } }],
      [{ ReservationType: 'capacity-block' }, { target: 'capacity-block' }],
      [
        { Interruptible: true },
        { target: 'reserved-capacity', reserved: { ReservationTypes: ['interruptible-capacity-reservation'] } },
      ],
    ] as const
    for (const [changes, { target, ...options }] of kinds) {
      const block = await ready({ world: { reservations: [reservation(changes)] as never }, spec: reserving })
      rightOf(await block.launch(claimFor('r', { requirements: wishing(capacity('reserved')) })))
      const fleet = block.fleets()[0]
      expect(fleet?.TargetCapacitySpecification?.DefaultTargetCapacityType).toBe(target)
      expect(fleet?.OnDemandOptions).toEqual('onDemand' in options ? options.onDemand : undefined)
      expect(fleet?.ReservedCapacityOptions).toEqual('reserved' in options ? options.reserved : undefined)
      expect(fleet?.SpotOptions).toBeUndefined()
    }
  })

  test('A-LCH-10: where an overlay set prices, its order counts', async () => {
    const made = await ready()
    for (const [type, options] of [
      ['spot', { SpotOptions: { AllocationStrategy: 'capacity-optimized-prioritized' } }],
      ['on-demand', { OnDemandOptions: { AllocationStrategy: 'prioritized' } }],
    ] as const) {
      const claim = claimFor(type, { requirements: wishing(capacity(type)) })
      const request = await made.requestFor(claim)
      const candidates = request.candidates.map((one) => ({
        ...one,
        offerings: one.offerings.map((offering) => ({ ...offering, isPriceOverlaid: true as const })),
      }))
      rightOf(await made.launch(claim, { candidates: candidates as never }))
      expect(made.fleets().at(-1)).toMatchObject(options)
    }
  })

  test('A-LCH-11: the context is sent, unless minValues were relaxed', async () => {
    const made = await ready({ spec: { context: 'ctx' } })
    rightOf(await made.launch(claimFor('one')))
    const annotations = { 'karpenter.sh/nodeclaim-min-values-relaxed': 'true' }
    rightOf(await made.launch(claimFor('two', { annotations })))
    expect(made.fleets().map(({ Context }) => Context)).toEqual(['ctx', undefined])
  })

  test('A-LCH-13: a template that is gone is made again, and the launch tried once more', async () => {
    const made = await ready()
    rightOf(await made.launch(claimFor('one')))
    made.aws.world.templates = []
    expect(E.isRight(await made.launch(claimFor('two')))).toBe(true)
    expect(made.fleets()).toHaveLength(3)
    made.aws.failNext(
      'ec2:CreateFleet',
      { code: 'InvalidLaunchTemplateName.NotFoundException' },
      { code: 'InvalidLaunchTemplateName.NotFoundException' },
    )
    expect(leftOf(await made.launch(claimFor('three'))).reason).toBe('LaunchTemplateNotFound')
  })

  test('A-LCH-14: shortage alone is InsufficientCapacity with each message once; anything else has its reason', async () => {
    const made = await ready()
    made.aws.world.soldOut.add('*:*:*')
    const shortage = leftOf(
      await made.launch(claimFor('one', { requirements: wishing(capacity('on-demand'), ofTypes('m5.large')) })),
    )
    expect(shortage).toMatchObject({ reason: 'InsufficientCapacity', error: { _tag: 'InsufficientCapacity' } })
    expect(shortage.error.message.match(/No capacity for m5.large in us-west-2a/g)).toHaveLength(1)
    const other = await ready()
    other.aws.world.fleetErrors.set('*:*:*', { code: 'InvalidAMIID.NotFound', message: 'ami-1' })
    expect(leftOf(await other.launch(claimFor('two')))).toMatchObject({
      reason: 'AMINotFound',
      error: { _tag: 'InvalidRequest' },
    })
  })

  test('A-LCH-15, A-SUB-04, A-SUB-05, A-SUB-06: addresses in flight sway the choice of subnets, and come back', async () => {
    const subnets = ['1', '2'].map((suffix) => ({
      SubnetId: `subnet-${suffix}`,
      AvailabilityZone: 'us-west-2a',
      AvailabilityZoneId: 'usw2-az1',
      AvailableIpAddressCount: suffix === '1' ? 40 : 30,
      Tags: [tag('karpenter.sh/discovery', 'demo')],
    }))
    const made = await ready({ world: { subnets } })
    const requirements = wishing(capacity('on-demand'), ofTypes('m5.large'))
    const placed = async (name: string) =>
      rightOf(await made.launch(claimFor(name, { requirements }))).instance.details?.subnetId
    // 29 pods each: after one machine the larger subnet has 11 left.
    expect(await placed('one')).toBe('subnet-1')
    expect(await placed('two')).toBe('subnet-2')
    made.aws.failNext('ec2:CreateFleet', { code: 'InternalError' })
    leftOf(await made.launch(claimFor('three', { requirements })))
    // What failed gave its addresses back: 11 against 1.
    expect(await placed('four')).toBe('subnet-1')
  })

  test('A-LCH-16: each refusal is counted by place and reason', async () => {
    const made = await ready()
    made.aws.world.soldOut.add('on-demand:m5.large:us-west-2a')
    rightOf(await made.launch(claimFor('one', { requirements: wishing(capacity('on-demand'), ofTypes('m5.large')) })))
    expect(made.recorded).toContainEqual({
      metric: 'karpenter_cloudprovider_instance_launch_failures_total',
      value: 1,
      labels: { zone: 'us-west-2a', zone_id: 'usw2-az1', capacity_type: 'on-demand', reason: 'InsufficientCapacity' },
    })
  })

  test('A-LCH-17, A-ICE-01, A-ICE-02, A-ICE-05: a refused offering is marked for three minutes, by a success too', async () => {
    const made = await ready()
    made.aws.world.soldOut.add('on-demand:m5.large:us-west-2a')
    const launched = rightOf(
      await made.launch(claimFor('one', { requirements: wishing(capacity('on-demand'), ofTypes('m5.large')) })),
    )
    expect(launched.instance.zone).not.toBe('us-west-2a')
    expect(launched.unavailable?.map(({ match, forMs }) => [Requirements.render(match), forMs])).toEqual([
      [
        'karpenter.sh/capacity-type In [on-demand], node.kubernetes.io/instance-type In [m5.large], topology.kubernetes.io/zone In [us-west-2a]',
        180_000,
      ],
    ])
    const memory = OfferingMemories.remember(OfferingMemories.empty, launched.unavailable ?? [], 0)
    const again = OfferingMemories.remember(memory, launched.unavailable ?? [], 60_000)
    const types = await made.typesOf()
    const soldOut = (atMs: number) =>
      OfferingMemories.applyMemory(types, again, atMs).flatMap(({ name, offerings }, index) =>
        offerings.flatMap((offering, at) =>
          offering.unavailable !== types[index]?.offerings[at]?.unavailable ? [name] : [],
        ),
      )
    // Marked again, it is forgotten later.
    expect(soldOut(200_000)).toEqual(['m5.large'])
    expect(soldOut(240_000)).toEqual([])
  })

  test('A-LCH-18: a spread placement group that is full in a zone closes the zone for that group', async () => {
    const groups = [{ GroupId: 'pg-1', GroupName: 'spread', State: 'available' as const, Strategy: 'spread' as const }]
    const made = await ready({
      world: { placementGroups: groups },
      spec: { placementGroupSelector: { name: 'spread' } },
    })
    const message = 'You have reached the limit of instances in this spread placement group'
    made.aws.world.fleetErrors.set('*:*:us-west-2a', { code: 'InsufficientInstanceCapacity', message })
    const launched = rightOf(await made.launch(claimFor('one')))
    expect(launched.unavailable?.map(({ match }) => Requirements.render(match))).toEqual([
      'karpenter.k8s.aws/placement-group-id In [pg-1], topology.kubernetes.io/zone In [us-west-2a]',
    ])
  })

  test('A-OFF-09: a refusal in a placement group closes the offering for that group, one outside of any for all', async () => {
    const groups = [{ GroupId: 'pg-1', GroupName: 'own', State: 'available' as const, Strategy: 'cluster' as const }]
    const requirements = wishing(capacity('on-demand'), ofTypes('m5.large'))
    const grouped = await ready({
      world: { placementGroups: groups },
      spec: { placementGroupSelector: { name: 'own' } },
    })
    const plain = await ready()
    const closedBy = async (made: typeof plain) => {
      made.aws.world.soldOut.add('on-demand:m5.large:us-west-2a')
      const { unavailable = [] } = rightOf(await made.launch(claimFor('one', { requirements })))
      const memory = OfferingMemories.remember(OfferingMemories.empty, unavailable, 0)
      const closes = async (other: typeof plain) => {
        const types = await other.typesOf()
        return OfferingMemories.applyMemory(types, memory, 1) !== types
      }
      return { grouped: await closes(grouped), plain: await closes(plain) }
    }
    expect(await closedBy(grouped)).toEqual({ grouped: true, plain: false })
    expect(await closedBy(plain)).toEqual({ grouped: true, plain: true })
  })

  test('A-LCH-19, A-SUB-07, A-ICE-03: a subnet without addresses is left alone; its zone only when all its subnets are', async () => {
    const made = await ready()
    const full = made.aws.world.subnets[0]
    if (full !== undefined) full.AvailableIpAddressCount = 0
    const requirements = wishing(capacity('on-demand'), ofTypes('m5.large'))
    const launched = rightOf(await made.launch(claimFor('one', { requirements })))
    // Other than the reference, the type is not marked in the zone: another subnet may have addresses (S-10).
    expect(launched.unavailable).toEqual([])
    const reasons = (await made.typesOf())
      .find(({ name }) => name === 'm5.large')
      ?.offerings.filter(
        ({ requirements: own }) => own.byKey.get('topology.kubernetes.io/zone')?.values.has('us-west-2a') === true,
      )
      .map(({ unavailable }) => unavailable?.reason)
    expect(new Set(reasons)).toEqual(new Set(['SubnetsExhausted']))
    await made.clock.advance(180_000)
    const later = (await made.typesOf()).find(({ name }) => name === 'm5.large')
    expect(later?.offerings.every(({ unavailable }) => unavailable === undefined)).toBe(true)
  })

  test('A-LCH-20: without the service-linked role all of spot is left alone, and the claim says how to make it', async () => {
    const made = await ready()
    const code = 'AuthFailure.ServiceLinkedRoleCreationNotPermitted'
    made.aws.world.fleetErrors.set('spot:*:*', { code, message: 'The provided credentials do not have permission' })
    const failure = leftOf(await made.launch(claimFor('one', { requirements: wishing(capacity('spot', 'on-demand')) })))
    expect(failure.unavailable?.map(({ match }) => Requirements.render(match))).toEqual([
      'karpenter.sh/capacity-type In [spot]',
    ])
    expect(failure.notices?.[0]).toMatchObject({ on: { _tag: 'NodeClaim', name: 'one' }, type: 'Warning' })
    expect(failure.notices?.[0]?.message).toContain('create-service-linked-role')
    // The same claim goes on, with on-demand.
    expect(failure).toMatchObject({ error: { _tag: 'InsufficientCapacity' }, keepClaim: true })
  })

  test('A-LCH-21: a reservation that is refused for want of capacity counts as empty, one that is throttled does not', async () => {
    const claim = claimFor('one', { requirements: wishing(capacity('reserved')) })
    const left = async (error: { code: string; message: string }) => {
      const made = await ready({ world: { reservations: [reservation()] as never }, spec: reserving })
      made.aws.world.fleetErrors.set('*:*:*', error)
      leftOf(await made.launch(claim))
      const type = (await made.typesOf()).find(({ name }) => name === 'm5.large')
      return type?.offerings.find(({ reservation: counted }) => counted !== undefined)?.reservation?.remaining
    }
    expect(await left({ code: 'ReservationCapacityExceeded', message: 'full' })).toBe(0)
    expect(await left({ code: 'RequestLimitExceeded', message: 'slow down' })).toBe(1)
    expect(
      await left({
        code: 'InsufficientInstanceCapacity',
        message: 'limit of instances in this spread placement group',
      }),
    ).toBe(1)
  })

  test('A-LCH-22, A-CLP-04, A-CLP-05: the machine is told from the fleet’s answer', async () => {
    const efa = typeInfo('m5n.xlarge', 4, 16, {
      NetworkInfo: {
        ...typeInfo('m5.xlarge', 4, 16).NetworkInfo,
        EfaSupported: true,
        EfaInfo: { MaximumEfaInterfaces: 2 },
      },
    })
    const made = await ready({ world: { types: [efa], prices: new Map([['m5n.xlarge', 1]]) } })
    const plain = rightOf(await made.launch(claimFor('one'))).instance
    expect(plain).toMatchObject({
      providerId: expect.stringMatching(/^aws:\/\/\/us-west-2[abc]\/i-[0-9a-f]+$/),
      phase: 'pending',
      instanceType: 'm5n.xlarge',
      imageId: 'ami-amd64',
      capacity: { [awsResources.efa]: '0' },
    })
    expect(plain.launchedAtMs).toBeLessThanOrEqual(made.clock.nowMs())
    expect(Object.keys(plain.annotations ?? {})).toEqual(['karpenter.k8s.aws/instance-profile-name'])
    const requests = Resources.parse({ cpu: '1', [awsResources.efa]: '1' })
    expect(rightOf(await made.launch(claimFor('two', { requests }))).instance.capacity).toEqual({
      [awsResources.efa]: '2',
    })
  })

  test('A-LCH-23: failures before the fleet say what failed', async () => {
    const made = await ready()
    made.setNodeClass({ ...made.nodeClass(), status: { ...made.nodeClass().status, subnets: [] } })
    const full = await ready()
    const request = await full.requestFor(claimFor('one'))
    const elsewhere = { ...request, nodeClass: made.nodeClass() }
    expect(leftOf(await full.run(full.provider.launch(elsewhere, full.call))).reason).toBe('SubnetResolutionFailed')
    full.aws.failNext('ec2:DescribeLaunchTemplates', { code: 'UnauthorizedOperation' })
    const denied = leftOf(await full.launch(claimFor('two')))
    expect(denied).toMatchObject({ reason: 'Unauthorized', error: { _tag: 'Unauthorized' } })
    expect(denied.error.message).toContain('Cannot make the launch template')
    full.aws.failNext('ec2:CreateFleet', { code: 'RequestLimitExceeded' })
    const throttled = leftOf(await full.launch(claimFor('three')))
    expect(throttled).toMatchObject({ reason: 'RequestLimitExceeded', error: { _tag: 'Throttled' } })
    expect(throttled.error.message).toContain('Cannot request a fleet')
  })

  test('A-CLP-02: tags that are not the user’s to set, and a class without images, are NodeClassNotReady', async () => {
    const made = await ready()
    const { metadata, spec, status } = made.nodeClass()
    made.setNodeClass({ metadata, spec: { ...spec, tags: { 'karpenter.sh/nodepool': 'x' } }, status } as never)
    expect(leftOf(await made.launch(claimFor('one'))).error).toMatchObject({ _tag: 'NodeClassNotReady' })
    made.setNodeClass({ metadata, spec, status: { ...status, amis: [] } } as never)
    const request = await made.requestFor(claimFor('two'))
    const withImages = request.candidates.map((type) => ({ ...type, imageId: 'ami-1' }))
    expect(leftOf(await made.launch(claimFor('two'), { candidates: withImages as never })).error.message).toContain(
      'has no AMIs',
    )
  })
})

describe('marks of quotas (W-13)', () => {
  test('close all machines of that size and up which count against the same quota', async () => {
    const made = await ready()
    made.aws.world.fleetErrors.set('on-demand:m5.xlarge:*', {
      code: 'VcpuLimitExceeded',
      message: 'You have requested more',
    })
    const failure = leftOf(
      await made.launch(claimFor('one', { requirements: wishing(capacity('on-demand'), ofTypes('m5.xlarge')) })),
    )
    expect(failure.reason).toBe('InsufficientCapacity')
    const memory = OfferingMemories.remember(OfferingMemories.empty, failure.unavailable ?? [], 0)
    const closed = OfferingMemories.applyMemory(await made.typesOf(), memory, 1)
      .filter(({ offerings }) => offerings.some(({ unavailable }) => unavailable?.reason === 'VCPULimitExceeded'))
      .map(({ name }) => name)
    expect(closed).toEqual(['c5.4xlarge', 'm5.2xlarge', 'm5.metal', 'm5.xlarge'])
  })
})

describe('the same token', () => {
  test('gets the same machine from repeats, races, and the next process', async () => {
    const made = await ready()
    const request = await made.requestFor(claimFor('one'))
    const launch = (): ReturnType<typeof made.provider.launch> => made.provider.launch(request, made.call)
    const [first, second] = await Promise.all([made.run(launch()), made.run(launch())])
    const id = rightOf(first).instance.providerId
    expect(rightOf(second).instance.providerId).toBe(id)
    expect(rightOf(await made.run(launch())).instance.providerId).toBe(id)
    const next = await rig({ aws: made.aws, clock: made.clock })
    await next.resolve()
    expect(rightOf(await next.run(next.provider.launch(request, next.call))).instance.providerId).toBe(id)
    expect(made.aws.running()).toHaveLength(1)
  })

  test('gets the same machine by its client token while EC2 does not list it yet', async () => {
    const made = await ready({ world: { hiddenForMs: 30_000 } })
    const request = await made.requestFor(claimFor('one'))
    const first = rightOf(await made.run(made.provider.launch(request, made.call)))
    const next = await rig({ aws: made.aws, clock: made.clock })
    const again = rightOf(await next.run(next.provider.launch(request, next.call)))
    expect(again.instance.providerId).toBe(first.instance.providerId)
    expect(made.aws.running()).toHaveLength(1)
  })

  test('waits for the list where the token was used with another wish, rather than launch twice', async () => {
    const made = await ready({ world: { hiddenForMs: 30_000 } })
    const request = await made.requestFor(claimFor('one'))
    const first = rightOf(await made.run(made.provider.launch(request, made.call)))
    const next = await rig({ aws: made.aws, clock: made.clock })
    const changed = { ...request, candidates: request.candidates.slice(1) as never }
    const refused = leftOf(await next.run(next.provider.launch(changed, next.call)))
    expect(refused.error).toMatchObject({ _tag: 'Throttled', retryAfterMs: 5000 })
    await made.clock.advance(40_000)
    expect(rightOf(await next.run(next.provider.launch(changed, next.call))).instance.providerId).toBe(
      first.instance.providerId,
    )
    expect(made.aws.running()).toHaveLength(1)
  })

  test('is spent once its machine has ended, and used anew after a refusal', async () => {
    const made = await ready()
    made.aws.world.soldOut.add('*:*:*')
    leftOf(await made.launch(claimFor('one')))
    made.aws.world.soldOut.clear()
    const { instance } = rightOf(await made.launch(claimFor('one')))
    rightOf(await made.run(made.provider.terminate({ providerId: instance.providerId }, made.call)))
    expect(leftOf(await made.launch(claimFor('one')))).toMatchObject({
      reason: 'InstanceEnded',
      error: { _tag: 'InsufficientCapacity' },
    })
    expect(made.aws.running()).toHaveLength(0)
  })
})

describe('a shortage', () => {
  test('asks for the next types with the same claim, then waits half a minute between fleets', async () => {
    const types = Array.from({ length: 200 }, (_, index) => typeInfo(`m${index}.large`, 2, 8))
    const prices = new Map(
      types.map(({ InstanceType = '' }, index) => [String(InstanceType), 1 + index / 100] as const),
    )
    const made = await ready({ world: { types, prices } })
    made.aws.world.soldOut.add('*:*:*')
    let memory = OfferingMemories.empty
    const attempt = async (name: string) => {
      const claim = claimFor(name)
      const request = await made.requestFor(claim)
      const available = OfferingMemories.applyMemory(request.candidates, memory, made.clock.nowMs())
        .map((type) => ({ ...type, offerings: type.offerings.filter(({ unavailable }) => unavailable === undefined) }))
        .filter(({ offerings }) => offerings.length > 0)
      const failure = leftOf(await made.launch(claim, { candidates: available as never }))
      memory = OfferingMemories.remember(memory, failure.unavailable ?? [], made.clock.nowMs())
      return failure
    }
    expect(await attempt('one')).toMatchObject({ keepClaim: true, error: { _tag: 'InsufficientCapacity' } })
    expect(await attempt('one')).toMatchObject({ keepClaim: true, error: { _tag: 'InsufficientCapacity' } })
    expect(made.fleets()).toHaveLength(2)
    expect((await attempt('one')).error).toMatchObject({ _tag: 'Throttled' })
    expect(made.fleets()).toHaveLength(2)
    await made.clock.advance(30_000)
    await attempt('one')
    expect(made.fleets()).toHaveLength(3)
    // Another NodePool is not held back.
    expect(leftOf(await made.launch(claimFor('two', { nodePool: 'other' }))).error._tag).toBe('InsufficientCapacity')
    await made.clock.advance(30_000)
    made.aws.world.soldOut.clear()
    expect(E.isRight(await made.launch(claimFor('one')))).toBe(true)
  })

  test('of one kind of machine holds back its own claims, and none that may have others', async () => {
    const made = await ready()
    made.aws.world.soldOut.add('*:m5.large:*')
    const short = (name: string) =>
      made.launch(claimFor(name, { requirements: wishing(capacity('on-demand'), ofTypes('m5.large')) }))
    for (const name of ['one', 'two']) expect(leftOf(await short(name)).error._tag).toBe('InsufficientCapacity')
    expect(leftOf(await short('three')).error._tag).toBe('Throttled')
    const other = wishing(capacity('on-demand'), ofTypes('c5.large'))
    expect(E.isRight(await made.launch(claimFor('other', { requirements: other })))).toBe(true)
    expect(leftOf(await short('four')).error._tag).toBe('Throttled')
    await made.clock.advance(30_000)
    // One at a time asks again.
    expect(leftOf(await short('three')).error._tag).toBe('InsufficientCapacity')
    expect(leftOf(await short('four')).error._tag).toBe('Throttled')
  })

  test('of spot leaves the claim to on-demand', async () => {
    const made = await ready()
    made.aws.world.soldOut.add('spot:*:*')
    const failure = leftOf(
      await made.launch(claimFor('one', { requirements: wishing(capacity('spot', 'on-demand'), ofTypes('m5.large')) })),
    )
    expect(failure).toMatchObject({ keepClaim: true, error: { _tag: 'InsufficientCapacity' } })
    expect(failure.unavailable).toHaveLength(3)
  })
})

describe('cancellation', () => {
  test('ends the waiting', async () => {
    const made = await ready()
    const controller = new AbortController()
    const running = made.provider.launch(await made.requestFor(claimFor('one')), {
      ...callFor(),
      signal: controller.signal,
    })()
    controller.abort()
    await made.clock.advance(1000)
    expect(E.isLeft(await running)).toBe(true)
    expect(made.fleets()).toHaveLength(0)
  })
})

describe('reserved launches', () => {
  test('A-CLP-04, A-LT-09: the claim learns its reservation, and the template names it alone', async () => {
    const made = await ready({
      world: { reservations: [reservation({ AvailableInstanceCount: 2 })] as never },
      spec: reserving,
    })
    const { instance } = rightOf(await made.launch(claimFor('one', { requirements: wishing(capacity('reserved')) })))
    expect(instance).toMatchObject({
      capacityType: 'reserved',
      labels: {
        [awsLabelKeys.reservationId]: 'cr-1',
        [awsLabelKeys.reservationType]: 'default',
        [awsLabelKeys.reservationInterruptible]: 'false',
      },
    })
    expect(made.aws.world.templates.at(-1)?.data.CapacityReservationSpecification).toEqual({
      CapacityReservationPreference: 'capacity-reservations-only',
      CapacityReservationTarget: { CapacityReservationId: 'cr-1' },
    })
  })
})
