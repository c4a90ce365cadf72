import { isSame } from './resource-id.ts'

/** A subnet as its ID names it. */
export interface SubnetId {
  readonly subscription: string
  readonly resourceGroup: string
  readonly vnet: string
  readonly subnet: string
}

/** The ID of a subnet. */
export const renderSubnetId = ({ subscription, resourceGroup, vnet, subnet }: SubnetId): string =>
  `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Network/virtualNetworks/${vnet}/subnets/${subnet}`

/**
 * Reads the ID of a subnet; `undefined` for anything with another number of parts or other fixed parts (Z-NET-04).
 *
 * Names keep the case in which they were written.
 */
export const parseSubnetId = (text: string): SubnetId | undefined => {
  const parts = text.split('/')
  const [, , subscription = '', , resourceGroup = '', , , , vnet = '', , subnet = ''] = parts
  const id: SubnetId = { subscription, resourceGroup, vnet, subnet }
  const isWhole = parts.length === 11 && [subscription, resourceGroup, vnet, subnet].every((part) => part !== '')
  return isWhole && isSame(renderSubnetId(id), text) ? id : undefined
}

/**
 * Whether two subnets are in one virtual network.
 *
 * Without regard to case, since ARM has none; the reference takes two spellings for two networks (section 3).
 */
export const isSameVnet = (left: SubnetId, right: SubnetId): boolean =>
  isSame(left.subscription, right.subscription) &&
  isSame(left.resourceGroup, right.resourceGroup) &&
  isSame(left.vnet, right.vnet)

/** Whether AKS made the network and the subnet: it names both in its own way, in the node resource group (Z-NET-05). */
export const isManagedSubnet = (id: SubnetId, nodeResourceGroup: string): boolean =>
  /^aks-vnet-\d{8}$/i.test(id.vnet) && isSame(id.resourceGroup, nodeResourceGroup) && isSame(id.subnet, 'aks-subnet')
