import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import type { Ec2NodeClassSpec, ImageFamily } from '../node-class/index.ts'

/** A placement group that a NodeClass selects. */
export interface PlacementGroup {
  readonly id: string
  readonly name?: string
  readonly strategy: 'cluster' | 'partition' | 'spread'
  /** Of the partition strategy. */
  readonly partitionCount?: number
}

/** Why a type cannot be launched with a NodeClass. */
export interface Incompatibility {
  readonly reason: string
  readonly message: string
}

interface Subject {
  readonly info: InstanceTypeInfo
  readonly family: ImageFamily
  readonly spec: Pick<Ec2NodeClassSpec, 'networkInterfaces' | 'cpuOptions' | 'connectionTracking' | 'ipPrefixCount'>
  readonly placementGroup?: PlacementGroup
}

/** Why the type cannot be launched with the NodeClass; `undefined`: it can (A-CMP). */
export const incompatibilityOf = (subject: Subject): Incompatibility | undefined => {
  for (const check of checks) {
    const found = check(subject)
    if (found !== undefined) return found
  }
  return undefined
}

const networkInterfaces = ({ info, spec }: Subject): Incompatibility | undefined => {
  const wanted = spec.networkInterfaces ?? []
  if (wanted.length === 0) return undefined
  const because = (message: string): Incompatibility => ({ reason: 'NetworkInterfacesUnsupported', message })
  const cards = info.NetworkInfo?.NetworkCards ?? []
  if (cards.length === 0) return because('the type has no network cards')
  if (info.NetworkInfo?.EnaSupport === 'unsupported') return because('the type does not support ENA')
  for (const { networkCardIndex, deviceIndex } of wanted) {
    const card = cards.find(({ NetworkCardIndex }, index) => (NetworkCardIndex ?? index) === networkCardIndex)
    if (networkCardIndex >= cards.length || card === undefined)
      return because(`networkInterfaces names card ${networkCardIndex}, and the type has ${cards.length} cards`)
    const most = card.MaximumNetworkInterfaces ?? 0
    if (deviceIndex >= most)
      return because(
        `networkInterfaces names device ${deviceIndex} of card ${networkCardIndex}, which has ${most} devices`,
      )
  }
  const efa = wanted.filter(({ interfaceType }) => interfaceType === 'efa-only').length
  const mostEfa = info.NetworkInfo?.EfaInfo?.MaximumEfaInterfaces ?? 0
  return efa > mostEfa
    ? because(`networkInterfaces names ${efa} EFA interfaces, and the type has ${mostEfa}`)
    : undefined
}

const imageFamily = ({ info, family }: Subject): Incompatibility | undefined =>
  family === 'AL2023' && info.InstanceType?.startsWith('a1.') === true
    ? { reason: 'ImageFamilyUnsupported', message: 'AL2023 does not run on the first generation of Graviton' }
    : undefined

const nestedVirtualization = ({ info, spec }: Subject): Incompatibility | undefined =>
  spec.cpuOptions?.nestedVirtualization === 'enabled' &&
  info.ProcessorInfo?.SupportedFeatures?.some((feature) => String(feature) === 'nested-virtualization') !== true
    ? { reason: 'NestedVirtualizationUnsupported', message: 'the type does not support nested virtualization' }
    : undefined

const placementStrategy = ({ info, placementGroup }: Subject): Incompatibility | undefined =>
  placementGroup !== undefined &&
  info.PlacementGroupInfo?.SupportedStrategies?.includes(placementGroup.strategy) !== true
    ? {
        reason: 'PlacementStrategyUnsupported',
        message: `the type cannot be placed by strategy ${placementGroup.strategy}`,
      }
    : undefined

// Bare metal has no hypervisor, and its interfaces are tracked by other means.
const connectionTracking = ({ info, spec }: Subject): Incompatibility | undefined =>
  spec.connectionTracking !== undefined && info.Hypervisor !== 'nitro'
    ? { reason: 'ConnectionTrackingUnsupported', message: 'the type is not virtualized by Nitro' }
    : undefined

// A prefix takes the place of one address, and the first address is the interface's own.
const prefixes = ({ info, spec }: Subject): Incompatibility | undefined => {
  const { ipPrefixCount = 0 } = spec
  const most = info.NetworkInfo?.Ipv4AddressesPerInterface
  return ipPrefixCount > 0 && most !== undefined && ipPrefixCount + 1 > most
    ? {
        reason: 'TooManyPrefixes',
        message: `ipPrefixCount is ${ipPrefixCount}, and an interface of the type takes ${most - 1}`,
      }
    : undefined
}

const checks = [networkInterfaces, imageFamily, nestedVirtualization, placementStrategy, connectionTracking, prefixes]
