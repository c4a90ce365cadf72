import { describe, expect, test } from '@jest/globals'
import { OfferingMemories, ReservationLedgers, Requirements, type Call } from '@scantling/core'
import { leftOf, recordingHost, rightOf } from '@scantling/simulation/testing'
import * as E from 'fp-ts/lib/Either.js'
import { fakeAws, foreignInstance, makeWorld, openReservation } from '../test/fake-aws/index.ts'
import { callFor, claimFor, defaultSettings, rig } from '../test/rig.ts'
import { awsMetrics } from './metrics.ts'
import { createFrom, provider } from './provider.ts'
import { checkConnectivity, clusterDiscovery } from './start-up.ts'
import { launchTags } from './tags.ts'
import { nodeClass } from '../test/subjects.ts'

const signal = new AbortController().signal
const onDemand = Requirements.fromSpecs([
  { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
  { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
])

describe('the module', () => {
  test('A-CLP-01: is called aws and knows EC2NodeClasses', () => {
    expect(provider.name).toBe('aws')
    expect(provider.nodeClasses.map(({ group, kind }) => `${group}/${kind}`)).toEqual([
      'karpenter.k8s.aws/EC2NodeClass',
    ])
  })

  test('A-REP-01: nodes are repaired by the kubelet’s condition and those of EKS’s agent', () => {
    expect(
      provider.traits?.repair?.map(({ conditionType, status, tolerationMs }) => [
        conditionType,
        status,
        tolerationMs / 60_000,
      ]),
    ).toEqual([
      ['Ready', 'False', 30],
      ['Ready', 'Unknown', 30],
      ['AcceleratedHardwareReady', 'False', 10],
      ['StorageReady', 'False', 30],
      ['NetworkingReady', 'False', 30],
      ['KernelReady', 'False', 30],
      ['ContainerRuntimeReady', 'False', 30],
    ])
  })

  test('A-VER-02: versions of Kubernetes from 1.26 to 1.36 are supported', () => {
    expect(provider.traits?.supportedKubernetes).toEqual({ min: '1.26', max: '1.36' })
  })

  test('has the metrics of the reference', () => {
    expect(awsMetrics.map(({ name, type, labels }) => [name, type, labels.join()])).toEqual(
      expect.arrayContaining([
        ['karpenter_cloudprovider_instance_launch_failures_total', 'counter', 'zone,zone_id,capacity_type,reason'],
        ['karpenter_cloudprovider_instance_termination_failures_total', 'counter', 'zone,zone_id'],
        ['karpenter_cloudprovider_batcher_batch_time_seconds', 'histogram', 'batcher'],
        ['karpenter_cloudprovider_batcher_batch_size', 'histogram', 'batcher'],
        ['karpenter_ec2nodeclasses_userdata_bytes', 'gauge', 'nodeclass'],
        ['karpenter_interruption_instance_status_unhealthy_total', 'counter', 'category'],
        ['aws_sdk_go_request_total', 'counter', 'service,operation,code'],
      ]),
    )
  })
})

describe('start-up', () => {
  test('A-OPR-03: EC2 has to answer; what may pass is tried again, what does not ends with its remedy', async () => {
    const aws = fakeAws()
    expect(E.isRight(await checkConnectivity(aws.ports, signal)())).toBe(true)
    expect(aws.inputsOf('ec2:DescribeInstanceTypes')).toEqual([{ DryRun: true }])
    aws.failNext(
      'ec2:DescribeInstanceTypes',
      { code: 'Unreachable', message: 'no route' },
      { code: 'AuthFailure', message: 'x' },
      { code: 'ExpiredToken' },
    )
    expect(leftOf(await checkConnectivity(aws.ports, signal)())).toMatchObject({ retryAfterMs: 5000 })
    expect(leftOf(await checkConnectivity(aws.ports, signal)())).not.toHaveProperty('retryAfterMs')
    const expired = leftOf(await checkConnectivity(aws.ports, signal)())
    expect(expired.message).toContain('us-west-2')
    expect(expired.message).toContain('current credentials')
  })

  const discovery = (aws = fakeAws(), eksControlPlane = false) => ({
    aws,
    ...clusterDiscovery({ eks: aws.ports.eks, settings: { eksControlPlane }, nowMs: () => 0 }),
  })
  const bare = (): Call => {
    const { endpoint: _, caBundle: __, ...cluster } = callFor().cluster
    return { signal, cluster }
  }

  test('A-OPR-04, A-OPR-05: endpoint and certificate are those of the settings, else EKS’s; neither is told', async () => {
    const given = discovery()
    expect(rightOf(await given.complete(callFor())()).cluster.endpoint).toBe('https://demo.example.com')
    expect(given.aws.board.calls).toEqual([])
    const asked = discovery()
    expect(rightOf(await asked.complete(bare())()).cluster).toMatchObject({
      endpoint: 'https://demo.example.com',
      caBundle: 'Y2E=',
    })
    const denied = discovery()
    denied.aws.board.denied.add('eks:DescribeCluster')
    expect(leftOf(await denied.complete(bare())()).message).toContain('set cluster-endpoint')
  })

  test('A-OPR-06: without the cluster’s DNS nodes get none, and addresses of IPv4', async () => {
    const { dnsServiceIp: _, ...cluster } = callFor().cluster
    const made = await rig({ call: { signal, cluster } })
    await made.resolve()
    rightOf(await made.launch(claimFor('one')))
    const { data } = made.aws.world.templates.at(-1) ?? {}
    expect(Buffer.from(data?.UserData ?? '', 'base64').toString()).not.toContain('clusterDNS')
    expect(data?.NetworkInterfaces?.[0]).not.toHaveProperty('PrimaryIpv6')
  })

  test('A-VER-01: the version is discovery’s, or EKS’s where asked for; what was told last stays', async () => {
    expect(rightOf(await discovery().complete(callFor())()).cluster.kubernetesVersion).toBe('1.34.2-eks-1')
    const aws = fakeAws({ cluster: { ...makeWorld().cluster, version: '1.35' } })
    expect(rightOf(await discovery(aws, true).complete(callFor())()).cluster.kubernetesVersion).toBe('1.35')
  })

  test('A-OPR-07: zonal shifts need a cluster that takes part in them; else the start ends with the remedy (W-25)', async () => {
    const start = (aws: ReturnType<typeof fakeAws>) => {
      const { host, run } = recordingHost()
      return run(createFrom(aws.ports, { ...defaultSettings, enableZonalShift: true }, host, callFor()))
    }
    expect(E.isRight(await start(fakeAws()))).toBe(true)
    const unregistered = fakeAws()
    unregistered.failNext('arc-zonal-shift:GetManagedResource', { code: 'ResourceNotFoundException' })
    expect(leftOf(await start(unregistered)).message).toContain('register the cluster')
    const noArn = fakeAws({ cluster: { ...makeWorld().cluster, name: 'other' } })
    expect(leftOf(await start(noArn)).message).toContain('Cannot follow zonal shifts')
  })

  test('A-OPR-01, A-OPR-02: the SDK is told region and name, and its calls are counted', async () => {
    const { host, run, recorded } = recordingHost()
    const settings = { ...defaultSettings, region: 'eu-west-1', endpoint: 'http://127.0.0.1:1' }
    process.env['AWS_ACCESS_KEY_ID'] ??= 'test'
    process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test'
    const started = provider.create(settings, host, callFor())()
    const result = await Promise.race([started, run(() => started)])
    expect(leftOf(result)).toMatchObject({ code: 'Unreachable', retryAfterMs: 5000 })
    expect(recorded).toContainEqual({
      metric: 'aws_sdk_go_request_total',
      value: 1,
      labels: { service: 'ec2', operation: 'DescribeInstanceTypes', code: 'Unreachable' },
    })
  }, 30_000)
})

describe('types', () => {
  test('A-CLP-02: without subnets there are none, rather than some', async () => {
    const made = await rig()
    expect(leftOf(await made.run(made.provider.instanceTypes(made.nodeClass(), made.call)))).toMatchObject({
      _tag: 'NodeClassNotReady',
    })
  })

  test('A-ICE-04: marks and their end change the types concerned, and no others', async () => {
    const made = await rig()
    await made.resolve()
    const types = await made.typesOf()
    expect(await made.typesOf()).toBe(types)
    made.aws.world.soldOut.add('on-demand:m5.large:us-west-2a')
    const requirements = Requirements.and(
      onDemand,
      Requirements.fromSpecs([{ key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['m5.large'] }]),
    )
    const { unavailable = [] } = rightOf(await made.launch(claimFor('one', { requirements })))
    const memory = OfferingMemories.remember(OfferingMemories.empty, unavailable, 0)
    const marked = OfferingMemories.applyMemory(types, memory, 1)
    expect(marked.filter((type, index) => type !== types[index]).map(({ name }) => name)).toEqual(['m5.large'])
    expect(OfferingMemories.applyMemory(types, memory, 180_000)).toBe(types)
  })
})

describe('launch and end', () => {
  test('A-CLP-03: prices that an overlay set decide the order that EC2 is given', async () => {
    const made = await rig()
    await made.resolve()
    const request = await made.requestFor(claimFor('one'))
    const candidates = request.candidates.map((type) => ({
      ...type,
      offerings: type.offerings.map((offering) => ({
        ...offering,
        pricePerHour: type.name === 'm5.2xlarge' ? 0.001 : 9,
        isPriceOverlaid: true as const,
      })),
    }))
    rightOf(await made.launch(claimFor('one'), { candidates: candidates as never }))
    const fleet = made.aws
      .inputsOf<{
        LaunchTemplateConfigs: ReadonlyArray<{ Overrides: ReadonlyArray<{ InstanceType: string; Priority: number }> }>
      }>('ec2:CreateFleet')
      .at(-1)
    const overrides = fleet?.LaunchTemplateConfigs.flatMap(({ Overrides }) => Overrides) ?? []
    expect(
      new Set(overrides.filter(({ Priority }) => Priority === 0.001).map(({ InstanceType }) => InstanceType)),
    ).toEqual(new Set(['m5.2xlarge']))
  })

  test('A-CLP-07: the end of a reserved machine is told for sure, so that the ledger can count it', async () => {
    const made = await rig({
      world: { reservations: [openReservation('cr-1')] },
      spec: { capacityReservationSelectorTerms: [{ id: 'cr-1' }] },
    })
    await made.resolve()
    const requirements = Requirements.fromSpecs([
      { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['reserved'] },
    ])
    const { instance } = rightOf(await made.launch(claimFor('one', { requirements })))
    const target = { providerId: instance.providerId }
    expect(rightOf(await made.run(made.provider.terminate(target, made.call)))).toBe('Started')
    await made.clock.advance(10)
    expect(rightOf(await made.run(made.provider.terminate(target, made.call)))).toBe('Gone')
    const id = instance.labels?.['karpenter.k8s.aws/capacity-reservation-id'] ?? ''
    const entry = (change: 'launched' | 'ended', atMs: number) => ({
      reservation: id,
      instance: instance.providerId,
      change,
      atMs,
    })
    const ledger = ReservationLedgers.enter(
      ReservationLedgers.enter(ReservationLedgers.empty, entry('launched', 1)),
      entry('ended', 2),
    )
    expect(ReservationLedgers.remaining(ledger, 'cr-1', { remaining: 1, observedAtMs: 0 })).toBe(1)
  })

  test('A-CLP-09: a machine is known by its provider id and by the instance’s own', async () => {
    const made = await rig()
    await made.resolve()
    const { instance } = rightOf(await made.launch(claimFor('one')))
    expect(instance.providerId.endsWith(`/${instance.aliases?.[0] ?? ''}`)).toBe(true)
  })

  test('A-TAG-02: tags that say whose a machine is are not the user’s to set', () => {
    const cluster = { name: 'demo' }
    const refused = (key: string) => {
      const made = nodeClass()
      return E.isLeft(launchTags({ ...made, spec: { ...made.spec, tags: { [key]: 'x' } } }, cluster, 'default'))
    }
    const keys = [
      'kubernetes.io/cluster/any-name',
      'karpenter.sh/nodepool',
      'karpenter.sh/nodeclaim',
      'karpenter.k8s.aws/ec2nodeclass',
      'eks:eks-cluster-name',
    ]
    expect(keys.filter((key) => !refused(key))).toEqual([])
    expect(['Name', 'team', 'kubernetes.io/cluster/', 'x-karpenter.sh/nodepool'].filter(refused)).toEqual([])
  })
})

describe('a controller that dies at any call', () => {
  /** The shell in the least: launches what has no machine, ends what nobody owns. */
  const recover = async (
    aws: ReturnType<typeof fakeAws>,
    clock: ReturnType<typeof recordingHost>['clock'],
    knownId: string | undefined,
  ) => {
    const next = await rig({ aws, clock })
    await next.resolve()
    const id = knownId ?? rightOf(await next.launch(claimFor('one'))).instance.providerId
    await clock.advance(120_000)
    const { instances } = rightOf(await next.run(next.provider.list(next.call)))
    for (const { providerId, phase } of instances)
      if (providerId !== id && phase !== 'terminating')
        rightOf(await next.run(next.provider.terminate({ providerId }, next.call)))
    return { id, next }
  }

  test('leaves one machine for a claim after a launch, no orphan, and strangers alone', async () => {
    let cuts = 0
    for (let cut = 0; ; cut += 1) {
      const made = await rig({ world: { instances: [foreignInstance()] } })
      let effects = 0
      made.aws.board.hook = () => {
        if (effects++ === cut) throw new Error('the process died')
      }
      await made.resolve().catch(() => undefined)
      const launched = await made.launch(claimFor('one')).catch(() => undefined)
      delete made.aws.board.hook
      const isDone = effects <= cut
      // Unless the answer was written down, the claim is launched anew.
      const written =
        isDone && launched !== undefined && E.isRight(launched) ? launched.right.instance.providerId : undefined
      const { id } = await recover(made.aws, made.clock, written)
      const running = made.aws.running().map(({ InstanceId = '' }) => InstanceId)
      expect([cut, new Set(running)]).toEqual([cut, new Set(['i-foreign', id.split('/').at(-1) ?? ''])])
      expect(running).toHaveLength(2)
      if (isDone) break
      cuts = cut
    }
    expect(cuts).toBeGreaterThan(25)
  }, 60_000)

  test('ends the machine after a termination, and strangers not', async () => {
    for (let cut = 0; cut < 6; cut += 1) {
      const made = await rig({ world: { instances: [foreignInstance()] } })
      await made.resolve()
      const { instance } = rightOf(await made.launch(claimFor('one')))
      await made.clock.advance(1000)
      let effects = 0
      made.aws.board.hook = () => {
        if (effects++ === cut) throw new Error('the process died')
      }
      await made.run(made.provider.terminate({ providerId: instance.providerId }, made.call)).catch(() => undefined)
      delete made.aws.board.hook
      const next = await rig({ aws: made.aws, clock: made.clock })
      rightOf(await next.run(next.provider.terminate({ providerId: instance.providerId }, next.call)))
      expect(made.aws.running().map(({ InstanceId }) => InstanceId)).toEqual(['i-foreign'])
    }
  })
})

describe('a burst', () => {
  test('of a thousand claims takes few fleets, and no description per machine', async () => {
    const subnets = makeWorld().subnets.map((subnet) => ({ ...subnet, AvailableIpAddressCount: 60_000 }))
    const made = await rig({ world: { subnets } })
    await made.resolve()
    const request = await made.requestFor(claimFor('x', { requirements: onDemand }))
    const before = made.aws.board.calls.length
    const launches = Array.from({ length: 1000 }, (_, index) => {
      const claim = claimFor(`c${index}`, { requirements: onDemand })
      return made.provider.launch({ ...request, claim, token: claim.uid }, made.call)()
    })
    const launched = await made.run(async () => E.right(await Promise.all(launches)))
    expect(rightOf(launched).filter(E.isRight)).toHaveLength(1000)
    expect(made.aws.running()).toHaveLength(1000)
    const counts = new Map<string, number>()
    for (const { action } of made.aws.board.calls.slice(before)) counts.set(action, (counts.get(action) ?? 0) + 1)
    expect(counts.get('ec2:CreateFleet')).toBeLessThanOrEqual(5)
    expect(counts.get('ec2:DescribeInstances') ?? 0).toBeLessThanOrEqual(1)
  }, 30_000)
})
