import type {
  LaunchTemplateInstanceNetworkInterfaceSpecificationRequest,
  RequestLaunchTemplateData,
} from '@aws-sdk/client-ec2'
import { Quantity, type CapacityType } from '@scantling/core'
import type { BlockDeviceMapping, Ec2NodeClass } from '../node-class/index.ts'
import { tagList } from '../tags.ts'

/** Everything that decides what a launch template holds. */
export interface TemplateInput {
  readonly nodeClass: Ec2NodeClass
  readonly region: string
  readonly imageId: string
  readonly instanceProfile: string
  readonly securityGroupIds: ReadonlyArray<string>
  readonly blockDevices: ReadonlyArray<BlockDeviceMapping>
  /** Base64. */
  readonly userData: string
  readonly capacityType: CapacityType
  readonly tenancy: 'default' | 'dedicated'
  /** EFA devices to attach; zero: none was asked for. */
  readonly efaCount: number
  readonly hasEnclave: boolean
  readonly isIpv6: boolean
  readonly reservation?: { readonly id: string; readonly type: string; readonly interruptible: boolean }
  /** Whether launches say which reservations they use; otherwise open ones are used as they come. */
  readonly controlsReservations: boolean
  readonly placementGroup?: { readonly id: string; readonly partition?: string }
  readonly tags: Readonly<Record<string, string>>
}

/** Regions whose EC2 does not know the option. */
const regionsWithoutIpv6Metadata: ReadonlySet<string> = new Set([
  'us-iso-east-1',
  'us-iso-west-1',
  'us-isob-east-1',
  'us-isob-west-1',
  'us-isof-south-1',
  'us-isof-east-1',
])

const gibibyte = 2n ** 30n * 1_000_000_000n

/** Volumes come in whole GiB. */
export const volumeGib = (size: string): number => {
  const nano = Quantity.toNano(Quantity.of(size))
  return Number((nano + gibibyte - 1n) / gibibyte)
}

/** What the launch template of a machine says (A-LT-07…15). */
export const templateData = (input: TemplateInput): RequestLaunchTemplateData => {
  const { nodeClass, region, tenancy, placementGroup, capacityType, tags } = input
  const { metadataOptions, detailedMonitoring, cpuOptions } = nodeClass.spec
  const placement = {
    ...(tenancy === 'dedicated' && { Tenancy: tenancy }),
    ...(placementGroup !== undefined && { GroupId: placementGroup.id }),
    ...(placementGroup?.partition !== undefined && { PartitionNumber: Number(placementGroup.partition) }),
  }
  return {
    ...(input.blockDevices.length > 0 && { BlockDeviceMappings: input.blockDevices.map(blockDevice) }),
    ...(cpuOptions?.nestedVirtualization !== undefined && {
      CpuOptions: { NestedVirtualization: cpuOptions.nestedVirtualization },
    }),
    IamInstanceProfile: { Name: input.instanceProfile },
    Monitoring: { Enabled: detailedMonitoring ?? false },
    UserData: input.userData,
    ImageId: input.imageId,
    MetadataOptions: {
      HttpEndpoint: metadataOptions.httpEndpoint,
      ...(!regionsWithoutIpv6Metadata.has(region) && { HttpProtocolIpv6: metadataOptions.httpProtocolIPv6 }),
      HttpPutResponseHopLimit: metadataOptions.httpPutResponseHopLimit,
      HttpTokens: metadataOptions.httpTokens,
      InstanceMetadataTags: 'disabled',
    },
    NetworkInterfaces: networkInterfaces(input),
    ...(Object.keys(placement).length > 0 && { Placement: placement }),
    EnclaveOptions: { Enabled: input.hasEnclave },
    TagSpecifications: [
      { ResourceType: 'network-interface', Tags: tagList(tags) },
      ...(capacityType === 'spot' ? [{ ResourceType: 'spot-instances-request' as const, Tags: tagList(tags) }] : []),
    ],
    ...reservationSettings(input),
  }
}

const reservationSettings = ({
  controlsReservations,
  reservation,
}: TemplateInput): Pick<RequestLaunchTemplateData, 'CapacityReservationSpecification' | 'InstanceMarketOptions'> => {
  if (!controlsReservations) return {}
  if (reservation === undefined) return { CapacityReservationSpecification: { CapacityReservationPreference: 'none' } }
  const market =
    reservation.type === 'capacity-block'
      ? 'capacity-block'
      : reservation.interruptible
        ? 'interruptible-capacity-reservation'
        : undefined
  return {
    CapacityReservationSpecification: {
      CapacityReservationPreference: 'capacity-reservations-only',
      CapacityReservationTarget: { CapacityReservationId: reservation.id },
    },
    ...(market !== undefined && { InstanceMarketOptions: { MarketType: market } }),
  }
}

const networkInterfaces = (input: TemplateInput): Array<LaunchTemplateInstanceNetworkInterfaceSpecificationRequest> => {
  const { nodeClass, securityGroupIds, efaCount, isIpv6 } = input
  const { networkInterfaces: listed = [], associatePublicIPAddress, connectionTracking, ipPrefixCount } = nodeClass.spec
  const groups = { Groups: [...securityGroupIds] }
  const ordinary = {
    ...groups,
    ...(associatePublicIPAddress !== undefined && { AssociatePublicIpAddress: associatePublicIPAddress }),
    ...(isIpv6 && { PrimaryIpv6: true, Ipv6AddressCount: 1 }),
    ...(ipPrefixCount !== undefined &&
      ipPrefixCount > 0 &&
      (isIpv6 ? { Ipv6PrefixCount: ipPrefixCount } : { Ipv4PrefixCount: ipPrefixCount })),
    ...(connectionTracking !== undefined && {
      ConnectionTrackingSpecification: {
        ...(connectionTracking.tcpEstablishedTimeout !== undefined && {
          TcpEstablishedTimeout: connectionTracking.tcpEstablishedTimeout,
        }),
        ...(connectionTracking.udpStreamTimeout !== undefined && {
          UdpStreamTimeout: connectionTracking.udpStreamTimeout,
        }),
        ...(connectionTracking.udpTimeout !== undefined && { UdpTimeout: connectionTracking.udpTimeout }),
      },
    }),
  }
  if (listed.length > 0)
    return listed.map(({ networkCardIndex, deviceIndex, interfaceType }) => ({
      NetworkCardIndex: networkCardIndex,
      DeviceIndex: deviceIndex,
      InterfaceType: interfaceType,
      ...(interfaceType === 'efa-only' ? groups : ordinary),
    }))
  if (efaCount > 0)
    return Array.from({ length: efaCount }, (_, card) => ({
      NetworkCardIndex: card,
      // Only the first card has a place for the primary interface.
      DeviceIndex: card === 0 ? 0 : 1,
      InterfaceType: 'efa',
      ...ordinary,
    }))
  return [{ DeviceIndex: 0, ...ordinary }]
}

const blockDevice = ({ deviceName, ebs }: BlockDeviceMapping) => ({
  ...(deviceName !== undefined && { DeviceName: deviceName }),
  ...(ebs !== undefined && {
    Ebs: {
      ...(ebs.deleteOnTermination !== undefined && { DeleteOnTermination: ebs.deleteOnTermination }),
      ...(ebs.encrypted !== undefined && { Encrypted: ebs.encrypted }),
      ...(ebs.volumeType !== undefined && { VolumeType: ebs.volumeType }),
      ...(ebs.iops !== undefined && ebs.iops !== 0 && { Iops: ebs.iops }),
      ...(ebs.throughput !== undefined && ebs.throughput !== 0 && { Throughput: ebs.throughput }),
      ...(ebs.kmsKeyID !== undefined && { KmsKeyId: ebs.kmsKeyID }),
      ...(ebs.snapshotID !== undefined && { SnapshotId: ebs.snapshotID }),
      ...(ebs.volumeInitializationRate !== undefined && { VolumeInitializationRate: ebs.volumeInitializationRate }),
      ...(ebs.volumeSize !== undefined && { VolumeSize: volumeGib(ebs.volumeSize) }),
    },
  }),
})
