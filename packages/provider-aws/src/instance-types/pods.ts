import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import type { FamilyTraits } from '../image/index.ts'
import type { Ec2NodeClassSpec } from '../node-class/index.ts'

export type NetworkInterfaces = Ec2NodeClassSpec['networkInterfaces']

/** What EC2 states of the interfaces that pods use: those of the default card. Zero where it does not say. */
export const eniLimitsOf = ({
  NetworkInfo,
}: InstanceTypeInfo): { readonly interfaces: number; readonly addressesPerInterface: number } => ({
  interfaces: NetworkInfo?.NetworkCards?.[NetworkInfo.DefaultNetworkCardIndex ?? 0]?.MaximumNetworkInterfaces ?? 0,
  addressesPerInterface: NetworkInfo?.Ipv4AddressesPerInterface ?? 0,
})

/**
 * The pods that have an address each: one per secondary address of each interface, and the two on the host's network.
 *
 * Source: https://github.com/aws/amazon-vpc-cni-k8s; interfaces for EFA alone carry no addresses (A-CAP-06).
 */
export const eniLimitedPods = (
  info: InstanceTypeInfo,
  reservedEnis: number,
  networkInterfaces: NetworkInterfaces = [],
): number => {
  const { interfaces, addressesPerInterface } = eniLimitsOf(info)
  const efaOnly = networkInterfaces.filter(
    ({ networkCardIndex, interfaceType }) => networkCardIndex === 0 && interfaceType === 'efa-only',
  ).length
  const usable = Math.max(interfaces - reservedEnis - efaOnly, 0)
  return usable === 0 ? 0 : usable * (addressesPerInterface - 1) + 2
}

// What the kubelet allows where nothing else limits the pods.
const kubeletDefault = 110

/** How many pods a node of the type runs (A-CAP-05). */
export const podsOf = (
  info: InstanceTypeInfo,
  options: {
    readonly traits: FamilyTraits
    readonly reservedEnis: number
    readonly networkInterfaces?: NetworkInterfaces
    readonly maxPods?: number
    readonly podsPerCore?: number
  },
): number => {
  const { traits, reservedEnis, networkInterfaces, maxPods, podsPerCore = 0 } = options
  const pods =
    maxPods ?? (traits.limitsPodsByEni ? eniLimitedPods(info, reservedEnis, networkInterfaces) : kubeletDefault)
  return podsPerCore > 0 && traits.hasPodsPerCore
    ? Math.min(podsPerCore * (info.VCpuInfo?.DefaultVCpus ?? 0), pods)
    : pods
}
