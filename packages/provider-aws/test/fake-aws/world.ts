import type {
  CapacityReservation,
  Image,
  Instance,
  InstanceStatus,
  InstanceTypeInfo,
  LaunchTemplate,
  PlacementGroup,
  RequestLaunchTemplateData,
  SecurityGroup,
  Subnet,
  Tag,
} from '@aws-sdk/client-ec2'

export interface StoredTemplate extends LaunchTemplate {
  readonly data: RequestLaunchTemplateData
}

export interface StoredProfile {
  readonly name: string
  readonly path: string
  readonly tags: ReadonlyArray<{ readonly Key: string; readonly Value: string }>
  roles: Array<string>
  readonly createdAtMs: number
}

/** What is there in the fake cloud; tests change it as they like. */
export interface World {
  readonly region: string
  readonly zones: ReadonlyArray<{ readonly name: string; readonly id: string }>
  types: Array<InstanceTypeInfo>
  /** By type, on demand; spot costs a third. */
  readonly prices: Map<string, number>
  /** Spot prices that are no third, by `type:zone`. */
  readonly spotPrices: Map<string, number>
  subnets: Array<Subnet>
  securityGroups: Array<SecurityGroup>
  images: Array<Image>
  reservations: Array<CapacityReservation>
  placementGroups: Array<PlacementGroup>
  templates: Array<StoredTemplate>
  instances: Array<Instance>
  statuses: Array<InstanceStatus>
  profiles: Array<StoredProfile>
  readonly roles: Set<string>
  readonly parameters: Map<string, string>
  messages: Array<{ readonly body: string; readonly id: string; readonly sentAtMs: number }>
  queue: string
  readonly cluster: { name: string; endpoint: string; version: string; cidr: string; arn: string }
  shifts: Array<{ awayFrom: string; appliedStatus: string; expiryTimeMs: number }>
  /** Offerings without capacity: `capacityType:type:zone`, any part of which may be `*`. */
  readonly soldOut: Set<string>
  /** Other errors of CreateFleet by the same keys. */
  readonly fleetErrors: Map<string, { readonly code: string; readonly message: string }>
  /** How long a new instance is missing from descriptions. */
  hiddenForMs: number
  /** How long an instance takes from terminated to gone from running states. */
  shutdownMs: number
  pageSize: number
}

export const tag = (Key: string, Value: string): Tag => ({ Key, Value })

/** A type as EC2 describes it. */
export const typeInfo = (
  name: string,
  cpu: number,
  memoryGiB: number,
  rest: Partial<InstanceTypeInfo> = {},
): InstanceTypeInfo => ({
  InstanceType: name as NonNullable<InstanceTypeInfo['InstanceType']>,
  CurrentGeneration: true,
  SupportedUsageClasses: ['on-demand', 'spot'],
  BareMetal: name.includes('metal'),
  ...(name.includes('metal') ? {} : { Hypervisor: 'nitro' as const }),
  ProcessorInfo: {
    SupportedArchitectures: [/^[a-z]+\d+g/.test(name) ? 'arm64' : 'x86_64'],
    SustainedClockSpeedInGhz: 3.1,
    Manufacturer: /^[a-z]+\d+g/.test(name) ? 'AWS' : 'Intel',
  },
  VCpuInfo: { DefaultVCpus: cpu },
  MemoryInfo: { SizeInMiB: memoryGiB * 1024 },
  EbsInfo: { EbsOptimizedSupport: 'default', EbsOptimizedInfo: { MaximumBandwidthInMbps: 4750 } },
  NetworkInfo: {
    Ipv4AddressesPerInterface: 10,
    EncryptionInTransitSupported: true,
    EnaSupport: 'required',
    DefaultNetworkCardIndex: 0,
    MaximumNetworkInterfaces: 3,
    NetworkCards: [{ NetworkCardIndex: 0, MaximumNetworkInterfaces: 3, BaselineBandwidthInGbps: 0.75 }],
  },
  PlacementGroupInfo: { SupportedStrategies: ['cluster', 'partition', 'spread'] },
  NitroEnclavesSupport: 'supported',
  ...rest,
})

/** A machine that another cluster has started. */
export const foreignInstance = (): Instance => ({
  InstanceId: 'i-foreign',
  InstanceType: 'm5.large',
  State: { Name: 'running' },
  LaunchTime: new Date(0),
  Placement: { AvailabilityZone: 'us-west-2a' },
  Tags: [
    tag('karpenter.sh/nodepool', 'default'),
    tag('karpenter.k8s.aws/ec2nodeclass', 'default'),
    tag('eks:eks-cluster-name', 'other'),
    tag('kubernetes.io/cluster/other', 'owned'),
  ],
})

/** An open reservation of one machine. */
export const openReservation = (id: string, changes: Partial<CapacityReservation> = {}): CapacityReservation => ({
  CapacityReservationId: id,
  InstanceType: 'm5.large',
  AvailabilityZone: 'us-west-2a',
  OwnerId: '123456789012',
  InstanceMatchCriteria: 'open',
  State: 'active',
  AvailableInstanceCount: 1,
  ...changes,
})

/** A cloud with three zones, a subnet in each, a security group, images of two architectures, and a few types. */
export const makeWorld = (overrides: Partial<World> = {}): World => {
  const region = overrides.region ?? 'us-west-2'
  const zones = ['a', 'b', 'c'].map((letter, index) => ({ name: `${region}${letter}`, id: `usw2-az${index + 1}` }))
  const discovery = [tag('karpenter.sh/discovery', 'demo')]
  return {
    region,
    zones,
    types: [
      typeInfo('m5.large', 2, 8),
      typeInfo('m5.xlarge', 4, 16),
      typeInfo('m5.2xlarge', 8, 32),
      typeInfo('c5.large', 2, 4),
      typeInfo('c5.4xlarge', 16, 32),
      typeInfo('m6g.large', 2, 8),
      typeInfo('m5.metal', 96, 384),
      typeInfo('g4dn.xlarge', 4, 16, {
        GpuInfo: { Gpus: [{ Name: 'T4', Manufacturer: 'NVIDIA', Count: 1, MemoryInfo: { SizeInMiB: 16384 } }] },
      }),
    ],
    prices: new Map([
      ['m5.large', 0.096],
      ['m5.xlarge', 0.192],
      ['m5.2xlarge', 0.384],
      ['c5.large', 0.085],
      ['c5.4xlarge', 0.68],
      ['m6g.large', 0.077],
      ['m5.metal', 4.608],
      ['g4dn.xlarge', 0.526],
    ]),
    spotPrices: new Map(),
    subnets: zones.map(({ name, id }, index) => ({
      SubnetId: `subnet-${index + 1}`,
      AvailabilityZone: name,
      AvailabilityZoneId: id,
      AvailableIpAddressCount: 100 * (index + 1),
      Tags: [...discovery, tag('Name', `test-subnet-${index + 1}`)],
    })),
    securityGroups: ['1', '2'].map((suffix) => ({
      GroupId: `sg-${suffix}`,
      GroupName: `securityGroup-${suffix}`,
      Tags: [...discovery],
    })),
    images: [
      ['ami-amd64', 'x86_64'],
      ['ami-arm64', 'arm64'],
    ].map(([id = '', architecture]) => ({
      ImageId: id,
      Name: `image-${id}`,
      Architecture: architecture as 'x86_64',
      CreationDate: '2026-01-01T00:00:00.000Z',
      State: 'available',
      OwnerId: '123456789012',
      Tags: [...discovery],
    })),
    reservations: [],
    placementGroups: [],
    templates: [],
    instances: [],
    statuses: [],
    profiles: [],
    roles: new Set(['node-role']),
    parameters: new Map([
      ['/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended/image_id', 'ami-amd64'],
      ['/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard/recommended/image_id', 'ami-arm64'],
    ]),
    messages: [],
    queue: 'demo',
    cluster: {
      name: 'demo',
      endpoint: 'https://demo.example.com',
      version: '1.34',
      cidr: '10.100.0.0/16',
      arn: `arn:aws:eks:${region}:123456789012:cluster/demo`,
    },
    shifts: [],
    soldOut: new Set(),
    fleetErrors: new Map(),
    hiddenForMs: 0,
    shutdownMs: 0,
    pageSize: 1000,
    ...overrides,
  }
}
