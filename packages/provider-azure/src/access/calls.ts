import type { AzurePorts } from '../sdk/index.ts'

/** Where a right is needed; each place has a role of its own. */
export type Place = 'subscription' | 'node resource group' | 'subnet' | 'agent pool' | 'disk encryption set'

/** A right, where it is needed, and why it is besides the call that bears its name. */
export interface Right {
  readonly action: string
  readonly place: Place
}

type PortCalls = Pick<AzurePorts, 'compute' | 'network' | 'containerService' | 'resourceGraph' | 'others'>
type Calls = {
  readonly [Port in keyof PortCalls]: Readonly<Record<keyof PortCalls[Port], ReadonlyArray<Right>>>
}

const at = (place: Place, ...actions: ReadonlyArray<string>): ReadonlyArray<Right> =>
  actions.map((action) => ({ action, place }))
const inNodes = (...actions: ReadonlyArray<string>) => at('node resource group', ...actions)
const inSubscription = (...actions: ReadonlyArray<string>) => at('subscription', ...actions)
const inPool = (...actions: ReadonlyArray<string>) => at('agent pool', ...actions)

const vm = 'Microsoft.Compute/virtualMachines'
const nic = 'Microsoft.Network/networkInterfaces'
const subnet = 'Microsoft.Network/virtualNetworks/subnets'
const pool = 'Microsoft.ContainerService/managedClusters/agentPools'

/**
 * Every call that the ports have, with the rights that it needs. One that joins them without rights here does not
 * compile.
 *
 * ARM asks for the right to join of whatever a request refers to, and for that to write the disk that a VM comes with.
 * Source: https://learn.microsoft.com/azure/role-based-access-control/permissions/compute and …/networking
 */
const calls: Calls = {
  compute: {
    getVm: inNodes(`${vm}/read`),
    putVm: [
      ...inNodes(
        `${vm}/write`,
        `${nic}/join/action`,
        'Microsoft.Compute/disks/write',
        'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action',
      ),
    ],
    updateVm: inNodes(`${vm}/write`, 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'),
    deleteVm: inNodes(`${vm}/delete`),
    listVms: inNodes(`${vm}/read`),
    putExtension: inNodes(`${vm}/extensions/write`),
    updateExtension: inNodes(`${vm}/extensions/write`),
    listSkus: inSubscription('Microsoft.Compute/skus/read'),
    listUsages: inSubscription('Microsoft.Compute/locations/usages/read'),
    listCommunityImageVersions: inSubscription('Microsoft.Compute/locations/communityGalleries/images/versions/read'),
    getDiskEncryptionSet: at('disk encryption set', 'Microsoft.Compute/diskEncryptionSets/read'),
  },
  network: {
    getNic: inNodes(`${nic}/read`),
    putNic: [
      ...inNodes(
        `${nic}/write`,
        'Microsoft.Network/networkSecurityGroups/join/action',
        'Microsoft.Network/loadBalancers/backendAddressPools/join/action',
      ),
      ...at('subnet', `${subnet}/join/action`),
    ],
    updateNicTags: inNodes(`${nic}/write`),
    deleteNic: inNodes(`${nic}/delete`),
    listNics: inNodes(`${nic}/read`),
    getSubnet: at('subnet', `${subnet}/read`),
    getVnet: at('subnet', 'Microsoft.Network/virtualNetworks/read'),
    listLoadBalancers: inNodes('Microsoft.Network/loadBalancers/read'),
    listSecurityGroups: inNodes('Microsoft.Network/networkSecurityGroups/read'),
  },
  containerService: {
    getMachine: inPool(`${pool}/machines/read`),
    listMachines: inPool(`${pool}/machines/read`),
    putMachine: inPool(`${pool}/machines/write`),
    deleteMachines: inPool(`${pool}/deleteMachines/action`),
    listNodeImageVersions: inSubscription('Microsoft.ContainerService/locations/nodeImageVersions/read'),
  },
  // Resource Graph shows whatever the caller may read.
  resourceGraph: { query: inSubscription('Microsoft.ResourceGraph/resources/read') },
  // Neither is a service of ARM.
  others: { listPrices: [], nodeBootstrapping: [] },
}

/** The rights that are needed in a place, each once, in code-unit order. */
export const actionsAt = (place: Place): ReadonlyArray<string> =>
  [...new Set(allRights.filter((right) => right.place === place).map(({ action }) => action))].sort((a, b) =>
    a < b ? -1 : 1,
  )

/** Every right of every call. */
export const allRights: ReadonlyArray<Right> = Object.values(calls).flatMap((port) =>
  Object.values(port as Readonly<Record<string, ReadonlyArray<Right>>>).flat(),
)
