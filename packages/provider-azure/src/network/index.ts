/** The network of nodes: interfaces, the load balancers' pools, the security group, the network itself. */
export { interfaces, pollMs, type Interfaces } from './interfaces.ts'
export { backendPools, poolIdsOf, type BackendPools } from './load-balancers.ts'
export { nicBodyOf, subnetOf, type NicInput } from './nic-body.ts'
export { nodeSecurityGroupOf, securityGroups, type SecurityGroup, type SecurityGroups } from './security-groups.ts'
export { vnetGuidOf } from './vnet-guid.ts'
