import type { NetworkInterface } from '@azure/arm-network'
import { Requirement, type InstanceType, type Labels } from '@scantling/core'
import { azureLabelKeys } from '../labels/index.ts'
import { maxPodsOf, type AksNodeClass } from '../node-class/index.ts'
import { isManagedSubnet, parseSubnetId } from '../resource-id/index.ts'
import type { AzureSettings } from '../settings.ts'

/** What the network interface of a VM is made from. */
export interface NicInput {
  readonly name: string
  readonly nodeClass: AksNodeClass
  readonly type: InstanceType
  readonly tags: Labels
  /** IDs of the load balancers' pools. */
  readonly backendPools: ReadonlyArray<string>
  /** ID of the security group of nodes. */
  readonly securityGroup: string
  readonly settings: Pick<
    AzureSettings,
    'location' | 'networkPlugin' | 'networkPluginMode' | 'nodeResourceGroup' | 'vnetSubnetId'
  >
}

/** The subnet of a class's nodes: its own, or the cluster's. */
export const subnetOf = (
  { spec }: Pick<AksNodeClass, 'spec'>,
  { vnetSubnetId }: Pick<AzureSettings, 'vnetSubnetId'>,
): string => spec.vnetSubnetID ?? vnetSubnetId

/** The body of a network interface (Z-NIC-01…04). */
export const nicBodyOf = (input: NicInput): NetworkInterface => {
  const { name, nodeClass, type, tags, backendPools, securityGroup, settings } = input
  const subnet = { id: subnetOf(nodeClass, settings) }
  const parsed = parseSubnetId(subnet.id)
  // In a subnet of AKS' own the group is on the subnet.
  const needsGroup = parsed === undefined || !isManagedSubnet(parsed, settings.nodeResourceGroup)
  const accelerated = type.requirements.byKey.get(azureLabelKeys.skuAcceleratedNetworking)
  return {
    location: settings.location,
    tags: { ...tags },
    ipConfigurations: [
      {
        name,
        primary: true,
        privateIPAllocationMethod: 'Dynamic',
        subnet,
        ...(backendPools.length > 0 && { loadBalancerBackendAddressPools: backendPools.map((id) => ({ id })) }),
      },
      ...podConfigurations(nodeClass, settings, subnet),
    ],
    enableAcceleratedNetworking: accelerated !== undefined && Requirement.singleValue(accelerated) === 'true',
    enableIPForwarding: false,
    ...(needsGroup && { networkSecurityGroup: { id: securityGroup } }),
  }
}

/** Without an overlay pods have addresses of the subnet: one more for each but the first, which is the node's (Z-NIC-04). */
const podConfigurations = (
  nodeClass: AksNodeClass,
  settings: NicInput['settings'],
  subnet: { readonly id: string },
): NonNullable<NetworkInterface['ipConfigurations']> =>
  settings.networkPlugin !== 'azure' || settings.networkPluginMode !== ''
    ? []
    : Array.from({ length: maxPodsOf(nodeClass, settings) - 1 }, (_, index) => ({
        name: `ipconfig${index + 1}`,
        primary: false,
        privateIPAllocationMethod: 'Dynamic',
        subnet,
      }))
