import type { ArmRequest } from './route.ts'

interface Named {
  readonly properties?: {
    readonly networkSecurityGroup?: unknown
    readonly ipConfigurations?: ReadonlyArray<{
      readonly properties?: { readonly loadBalancerBackendAddressPools?: ReadonlyArray<unknown> }
    }>
  }
  readonly identity?: { readonly userAssignedIdentities?: object }
}

/** What a request needs besides the right to itself: to join what it refers to, and to make what comes with it. */
export const linkedActions = (action: string, { method, body }: ArmRequest): ReadonlyArray<string> => {
  const { properties = {}, identity } = body as Named
  const assigns = Object.keys(identity?.userAssignedIdentities ?? {}).length > 0
  const identities = assigns ? ['Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'] : []
  if (action === 'Microsoft.Compute/virtualMachines/write')
    return method === 'PUT'
      ? ['Microsoft.Network/networkInterfaces/join/action', 'Microsoft.Compute/disks/write', ...identities]
      : identities
  if (action === 'Microsoft.Network/networkInterfaces/write' && method === 'PUT') {
    const pools = (properties.ipConfigurations ?? []).flatMap(
      (one) => one.properties?.loadBalancerBackendAddressPools ?? [],
    )
    return [
      'Microsoft.Network/virtualNetworks/subnets/join/action',
      ...(properties.networkSecurityGroup === undefined ? [] : ['Microsoft.Network/networkSecurityGroups/join/action']),
      ...(pools.length === 0 ? [] : ['Microsoft.Network/loadBalancers/backendAddressPools/join/action']),
    ]
  }
  return []
}
