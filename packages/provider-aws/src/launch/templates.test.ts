import { describe, expect, test } from '@jest/globals'
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2'
import { Requirements, Resources } from '@scantling/core'
import { leftOf, rightOf, recordingHost } from '@scantling/simulation/testing'
import { awsResources } from '../labels/index.ts'
import { tag, typeInfo } from '../../test/fake-aws/index.ts'
import { callFor, claimFor, rig } from '../../test/rig.ts'
import { nodeClass } from '../../test/subjects.ts'
import { fakeAws } from '../../test/fake-aws/index.ts'
import { launchTemplates, wantedTemplate } from './launch-templates.ts'
import { templateData, volumeGib, type TemplateInput } from './template-data.ts'

const dataFor = (
  changes: Partial<TemplateInput> = {},
  spec: Readonly<Record<string, unknown>> = {},
): RequestLaunchTemplateData =>
  templateData({
    nodeClass: nodeClass(spec),
    region: 'us-west-2',
    imageId: 'ami-1',
    instanceProfile: 'profile-1',
    securityGroupIds: ['sg-1', 'sg-2'],
    blockDevices: [{ deviceName: '/dev/xvda', ebs: { volumeSize: '20Gi', volumeType: 'gp3', encrypted: true } }],
    userData: 'dXNlcg==',
    capacityType: 'on-demand',
    tenancy: 'default',
    efaCount: 0,
    hasEnclave: false,
    isIpv6: false,
    controlsReservations: true,
    tags: { a: '1' },
    ...changes,
  })

describe('templateData()', () => {
  test('A-LT-07: names profile, monitoring, user data, image, metadata, interfaces, placement and enclaves', () => {
    const data = dataFor(
      { tenancy: 'dedicated', placementGroup: { id: 'pg-1', partition: '2' } },
      { detailedMonitoring: true, cpuOptions: { nestedVirtualization: 'enabled' } },
    )
    expect(data).toMatchObject({
      CpuOptions: { NestedVirtualization: 'enabled' },
      IamInstanceProfile: { Name: 'profile-1' },
      Monitoring: { Enabled: true },
      UserData: 'dXNlcg==',
      ImageId: 'ami-1',
      MetadataOptions: {
        HttpEndpoint: 'enabled',
        HttpProtocolIpv6: 'disabled',
        HttpPutResponseHopLimit: 1,
        HttpTokens: 'required',
        InstanceMetadataTags: 'disabled',
      },
      Placement: { Tenancy: 'dedicated', GroupId: 'pg-1', PartitionNumber: 2 },
      EnclaveOptions: { Enabled: false },
    })
    expect(data.SecurityGroupIds).toBeUndefined()
    expect(dataFor().Placement).toBeUndefined()
  })

  test('A-LT-08: interfaces bear the tags, and so do requests for spot', () => {
    const types = (capacityType: 'spot' | 'on-demand') =>
      dataFor({ capacityType }).TagSpecifications?.map(({ ResourceType, Tags }) => [ResourceType, Tags])
    const tags = [{ Key: 'a', Value: '1' }]
    expect(types('on-demand')).toEqual([['network-interface', tags]])
    expect(types('spot')).toEqual([
      ['network-interface', tags],
      ['spot-instances-request', tags],
    ])
  })

  test('A-LT-09: launches say which reservations they use, unless the gate is off', () => {
    const settings = (changes: Partial<TemplateInput>) => {
      const { CapacityReservationSpecification: spec, InstanceMarketOptions: market } = dataFor(changes)
      return [
        spec?.CapacityReservationPreference,
        spec?.CapacityReservationTarget?.CapacityReservationId,
        market?.MarketType,
      ]
    }
    const reservation = (type: string, interruptible = false) => ({ reservation: { id: 'cr-1', type, interruptible } })
    expect(settings({})).toEqual(['none', undefined, undefined])
    expect(settings(reservation('default'))).toEqual(['capacity-reservations-only', 'cr-1', undefined])
    expect(settings(reservation('capacity-block'))).toEqual(['capacity-reservations-only', 'cr-1', 'capacity-block'])
    expect(settings(reservation('default', true))).toEqual([
      'capacity-reservations-only',
      'cr-1',
      'interruptible-capacity-reservation',
    ])
    expect(settings({ controlsReservations: false })).toEqual([undefined, undefined, undefined])
  })

  test('A-LT-10: interfaces of the NodeClass are taken as they are; those for EFA alone carry groups and no addresses', () => {
    const interfaces = [
      { networkCardIndex: 0, deviceIndex: 0, interfaceType: 'interface' },
      { networkCardIndex: 1, deviceIndex: 1, interfaceType: 'efa-only' },
    ]
    const spec = {
      networkInterfaces: interfaces,
      ipPrefixCount: 2,
      associatePublicIPAddress: false,
      connectionTracking: { udpTimeout: 40 },
    }
    expect(dataFor({ efaCount: 4 }, spec).NetworkInterfaces).toEqual([
      {
        NetworkCardIndex: 0,
        DeviceIndex: 0,
        InterfaceType: 'interface',
        Groups: ['sg-1', 'sg-2'],
        AssociatePublicIpAddress: false,
        Ipv4PrefixCount: 2,
        ConnectionTrackingSpecification: { UdpTimeout: 40 },
      },
      { NetworkCardIndex: 1, DeviceIndex: 1, InterfaceType: 'efa-only', Groups: ['sg-1', 'sg-2'] },
    ])
  })

  test('A-LT-11: where pods ask for EFA there is a device on each card', () => {
    expect(
      dataFor({ efaCount: 3 }).NetworkInterfaces?.map((one) => [
        one.NetworkCardIndex,
        one.DeviceIndex,
        one.InterfaceType,
      ]),
    ).toEqual([
      [0, 0, 'efa'],
      [1, 1, 'efa'],
      [2, 1, 'efa'],
    ])
  })

  test('A-LT-12: else there is one, with an address of IPv6 where the cluster is', () => {
    expect(dataFor().NetworkInterfaces).toEqual([{ DeviceIndex: 0, Groups: ['sg-1', 'sg-2'] }])
    expect(dataFor({ isIpv6: true }, { ipPrefixCount: 1 }).NetworkInterfaces).toEqual([
      { DeviceIndex: 0, Groups: ['sg-1', 'sg-2'], PrimaryIpv6: true, Ipv6AddressCount: 1, Ipv6PrefixCount: 1 },
    ])
  })

  test('A-LT-13: volumes are of whole GiB, rounded up; zero iops and throughput are left out', () => {
    expect(['20Gi', '1G', '1Ti', '1500Mi'].map(volumeGib)).toEqual([20, 1, 1024, 2])
    const blockDevices = [
      { deviceName: '/dev/xvdb', ebs: { volumeSize: '1G', iops: 0, throughput: 0, snapshotID: 'snap-1' } },
    ]
    expect(dataFor({ blockDevices }).BlockDeviceMappings).toEqual([
      { DeviceName: '/dev/xvdb', Ebs: { SnapshotId: 'snap-1', VolumeSize: 1 } },
    ])
  })

  test('A-LT-14: regions whose EC2 does not know the option for metadata over IPv6 are not told of it', () => {
    const regions = [
      'us-iso-east-1',
      'us-iso-west-1',
      'us-isob-east-1',
      'us-isob-west-1',
      'us-isof-south-1',
      'us-isof-east-1',
    ]
    expect(regions.filter((region) => 'HttpProtocolIpv6' in (dataFor({ region }).MetadataOptions ?? {}))).toEqual([])
    expect(dataFor().MetadataOptions).toHaveProperty('HttpProtocolIpv6')
  })
})

describe('wantedTemplate()', () => {
  test('A-LT-01: the name follows from all that the template holds, whatever the order of its lists', () => {
    const tags = { b: '2', a: '1' }
    const name = (changes: Partial<TemplateInput> = {}, spec = {}) => wantedTemplate(dataFor(changes, spec), tags).name
    expect(name()).toMatch(/^karpenter\.k8s\.aws\/[0-9a-f]{16}$/)
    expect(name({ securityGroupIds: ['sg-2', 'sg-1'] })).toBe(name())
    expect(wantedTemplate(dataFor(), { a: '1', b: '2' }).name).toBe(name())
    const changed = [
      name({ imageId: 'ami-2' }),
      name({ instanceProfile: 'other' }),
      name({ securityGroupIds: ['sg-1'] }),
      name({ userData: 'b3RoZXI=' }),
      name({ capacityType: 'spot' }),
      name({ tenancy: 'dedicated' }),
      name({ efaCount: 1 }),
      name({ hasEnclave: true }),
      name({ isIpv6: true }),
      name({ controlsReservations: false }),
      name({ placementGroup: { id: 'pg-1' } }),
      name({ placementGroup: { id: 'pg-1', partition: '1' } }),
      name({ reservation: { id: 'cr-1', type: 'default', interruptible: false } }),
      name({}, { detailedMonitoring: true }),
      name({}, { associatePublicIPAddress: true }),
      name({}, { ipPrefixCount: 1 }),
      name({}, { metadataOptions: { httpTokens: 'optional' } }),
      name({}, { connectionTracking: { udpTimeout: 40 } }),
      wantedTemplate(dataFor(), { ...tags, c: '3' }).name,
    ]
    expect(new Set([name(), ...changed]).size).toBe(changed.length + 1)
  })
})

describe('launchTemplates()', () => {
  const setUp = (world = {}) => {
    const { host, clock, run } = recordingHost()
    const aws = fakeAws(world, clock.nowMs)
    const templates = launchTemplates({ ec2: aws.ports.ec2, host })
    const call = callFor()
    const tags = { 'eks:eks-cluster-name': 'demo', 'karpenter.k8s.aws/ec2nodeclass': 'default' }
    const ensure = (changes: Partial<TemplateInput> = {}) =>
      run(templates.ensure(wantedTemplate(dataFor(changes), tags), call.signal))
    const sweep = () => run(templates.task.run({ nodeClasses: [], claims: [] }, call))
    return { aws, clock, run, templates, call, ensure, sweep, tags }
  }
  const actions = (aws: ReturnType<typeof fakeAws>) => aws.board.calls.map(({ action }) => action.slice(4))

  test('A-LT-03: one that is known is used, one that EC2 knows is found, any other is made', async () => {
    const { aws, ensure } = setUp()
    rightOf(await ensure())
    rightOf(await ensure())
    expect(actions(aws)).toEqual(['DescribeLaunchTemplates', 'CreateLaunchTemplate'])
    const other = setUp({ templates: aws.world.templates })
    rightOf(await other.ensure())
    expect(actions(other.aws)).toEqual(['DescribeLaunchTemplates'])
    const doubled = setUp({ templates: [...aws.world.templates, ...aws.world.templates] })
    expect(leftOf(await doubled.ensure()).message).toContain('found 2')
  })

  test('one that another replica makes at the same time is found after all', async () => {
    const { aws, ensure } = setUp()
    rightOf(await ensure())
    const other = setUp({ templates: aws.world.templates })
    other.aws.failNext('ec2:DescribeLaunchTemplates', { code: 'InvalidLaunchTemplateName.NotFoundException' })
    rightOf(await other.ensure())
    expect(actions(other.aws)).toEqual(['DescribeLaunchTemplates', 'CreateLaunchTemplate', 'DescribeLaunchTemplates'])
  })

  test('A-LT-04: what nothing used for a minute is deleted; one that is gone already is no failure', async () => {
    const { aws, clock, ensure, sweep } = setUp()
    rightOf(await ensure())
    rightOf(await ensure({ imageId: 'ami-2' }))
    await clock.advance(45_000)
    rightOf(await ensure())
    rightOf(await sweep())
    expect(aws.world.templates).toHaveLength(2)
    await clock.advance(20_000)
    rightOf(await sweep())
    expect(aws.world.templates.map(({ data }) => data.ImageId)).toEqual(['ami-1'])
    await clock.advance(60_000)
    aws.world.templates = []
    rightOf(await sweep())
    rightOf(await ensure())
    expect(aws.world.templates).toHaveLength(1)
  })

  test('A-LT-04: one that could not be deleted is tried again', async () => {
    const { aws, clock, ensure, sweep } = setUp()
    rightOf(await ensure())
    await clock.advance(60_000)
    aws.failNext('ec2:DeleteLaunchTemplate', { code: 'RequestLimitExceeded' })
    leftOf(await sweep())
    rightOf(await sweep())
    expect(aws.world.templates).toEqual([])
  })

  test('A-LT-05: a new leader adopts what another left of this cluster, and deletes it a minute later', async () => {
    const left = (name: string, cluster: string) => ({
      LaunchTemplateId: `lt-${name}`,
      LaunchTemplateName: name,
      data: {},
      Tags: [tag('eks:eks-cluster-name', cluster)],
    })
    const { aws, clock, sweep } = setUp({
      templates: [left('karpenter.k8s.aws/1', 'demo'), left('karpenter.k8s.aws/2', 'other'), left('mine', 'demo')],
      pageSize: 1,
    })
    rightOf(await sweep())
    expect(aws.world.templates).toHaveLength(3)
    await clock.advance(60_000)
    rightOf(await sweep())
    expect(aws.world.templates.map(({ LaunchTemplateName }) => LaunchTemplateName)).toEqual([
      'karpenter.k8s.aws/2',
      'mine',
    ])
  })

  test('A-LT-06: with a NodeClass its templates go', async () => {
    const { aws, run, templates, call, ensure } = setUp()
    rightOf(await ensure())
    rightOf(await run(templates.release('other', 'demo', call.signal)))
    expect(aws.world.templates).toHaveLength(1)
    rightOf(await run(templates.release('default', 'demo', call.signal)))
    expect(aws.world.templates).toEqual([])
  })
})

describe('templates of a launch', () => {
  const efaType = (name: string, count: number) =>
    typeInfo(name, 4, 16, {
      NetworkInfo: {
        ...typeInfo(name, 4, 16).NetworkInfo,
        EfaSupported: true,
        EfaInfo: { MaximumEfaInterfaces: count },
      },
    })
  const configs = async (made: Awaited<ReturnType<typeof rig>>, claim: ReturnType<typeof claimFor>) => {
    rightOf(await made.launch(claim))
    const fleet = made.aws
      .inputsOf<{ LaunchTemplateConfigs: ReadonlyArray<{ Overrides: ReadonlyArray<{ InstanceType: string }> }> }>(
        'ec2:CreateFleet',
      )
      .at(-1)
    return (fleet?.LaunchTemplateConfigs ?? [])
      .map(({ Overrides }) =>
        [...new Set<string>(Overrides.map(({ InstanceType }) => InstanceType))].toSorted().join(' '),
      )
      .toSorted((a, b) => (a < b ? -1 : 1))
  }

  test('A-LT-02: there is one for each image, number of pods and, where asked for, number of EFA devices', async () => {
    const types = [efaType('m5n.large', 1), efaType('c5n.large', 2), typeInfo('m6g.large', 2, 8)]
    const made = await rig({
      world: { types, prices: new Map(types.map(({ InstanceType }) => [String(InstanceType), 1])) },
    })
    await made.resolve()
    const anyArch = claimFor('a', {
      requirements: Requirements.fromSpecs([{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] }]),
    })
    expect(await configs(made, anyArch)).toEqual(['c5n.large m5n.large', 'm6g.large'])
    const requests = Resources.parse({ cpu: '1', [awsResources.efa]: '1' })
    expect(await configs(made, claimFor('b', { requests }))).toEqual(['c5n.large', 'm5n.large'])
    const perType = await rig({
      world: { types: [typeInfo('m5.large', 2, 8), typeInfo('m5.xlarge', 4, 16)] },
      spec: { kubelet: { maxPods: 'vcpus * 10' } },
      settings: { awsFeatureGates: { NodeClassCEL: true } },
    })
    await perType.resolve()
    expect(await configs(perType, claimFor('c'))).toEqual(['m5.large', 'm5.xlarge'])
  })

  test('A-LT-15: an enclave is enabled where pods ask for the sandbox', async () => {
    const made = await rig()
    await made.resolve()
    for (const [name, requests, expected] of [
      ['a', { cpu: '1' }, false],
      ['b', { cpu: '1', [awsResources.nitroSandbox]: '1' }, true],
    ] as const) {
      const claim = claimFor(name, { requests: Resources.parse(requests) })
      // No type has the resource by itself; an overlay adds it.
      const request = await made.requestFor(claim)
      const candidates = request.candidates.map((type) => ({
        ...type,
        capacity: { ...type.capacity, ...Resources.parse({ [awsResources.nitroSandbox]: '1' }) },
      }))
      rightOf(await made.launch(claim, { candidates: candidates as never }))
      expect(made.aws.world.templates.at(-1)?.data.EnclaveOptions?.Enabled).toBe(expected)
    }
  })

  test('A-LT-16: without security groups, images, or an image for any type there is none', async () => {
    const made = await rig()
    await made.resolve()
    const { status } = made.nodeClass()
    const claim = claimFor('one')
    const request = await made.requestFor(claim)
    const messageWith = async (changes: object, candidates: unknown = request.candidates) => {
      const changed = { ...made.nodeClass(), status: { ...status, ...changes } }
      const failure = leftOf(
        await made.run(
          made.provider.launch({ ...request, nodeClass: changed as never, candidates: candidates as never }, made.call),
        ),
      )
      expect(failure.error._tag).toBe('NodeClassNotReady')
      return failure.error.message
    }
    expect(await messageWith({ securityGroups: [] })).toContain('has no security groups')
    expect(await messageWith({ amis: [] })).toContain('has no AMIs')
    const without = request.candidates.map((type) => ({ ...type, imageId: undefined }))
    expect(await messageWith({}, without)).toContain('has no AMI for any of the types')
  })

  test('A-LT-18: a cluster whose DNS has an address of IPv6 is one of IPv6', async () => {
    const call = callFor()
    const made = await rig({ call: { ...call, cluster: { ...call.cluster, dnsServiceIp: 'fd00::a' } } })
    await made.resolve()
    rightOf(await made.launch(claimFor('one')))
    expect(made.aws.world.templates.at(-1)?.data.NetworkInterfaces?.[0]).toMatchObject({ PrimaryIpv6: true })
  })

  test('A-LT-19: the range of service addresses is asked of EKS once, and for AL2023 alone', async () => {
    const made = await rig()
    await made.resolve()
    rightOf(await made.launch(claimFor('one')))
    await made.clock.advance(7_200_000)
    rightOf(await made.launch(claimFor('two')))
    expect(made.aws.inputsOf('eks:DescribeCluster')).toHaveLength(1)
    const bottlerocket = await rig({
      spec: { amiSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'demo' } }], amiFamily: 'Bottlerocket' },
    })
    await bottlerocket.resolve()
    rightOf(await bottlerocket.launch(claimFor('one')))
    expect(bottlerocket.aws.inputsOf('eks:DescribeCluster')).toHaveLength(0)
    const v6 = await rig({ world: { cluster: { ...made.aws.world.cluster, cidr: 'fd00::/108' } } })
    await v6.resolve()
    rightOf(await v6.launch(claimFor('one')))
    const userData = v6.aws.world.templates.at(-1)?.data.UserData ?? ''
    expect(Buffer.from(userData, 'base64').toString()).toContain('fd00::/108')
  })
})
