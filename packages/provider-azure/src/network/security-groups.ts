import type { NetworkSecurityGroup } from '@azure/arm-network'
import type { ProviderError } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { providerErrorOf } from '../error-codes.ts'
import type { NetworkPort } from '../sdk/index.ts'
import { refreshable, type Refreshable } from './refreshable.ts'

/** The network security group that AKS made for the nodes. */
export interface SecurityGroup {
  readonly id: string
  readonly name: string
}

/** Its number names the table of routes too, so nodes need it even where their NIC does not (Z-NET-03). */
export type SecurityGroups = Refreshable<ProviderError, SecurityGroup>

/** Found once, and looked for again when a NIC proves that it is gone (W-22). */
export const securityGroups = (options: {
  readonly network: Pick<NetworkPort, 'listSecurityGroups'>
  readonly resourceGroup: string
  readonly nowMs: () => number
}): SecurityGroups => {
  const { network, resourceGroup, nowMs } = options
  return refreshable({
    load: (signal) =>
      pipe(
        network.listSecurityGroups({ resourceGroup }, signal),
        TE.mapLeft(providerErrorOf),
        TE.chain((groups) => TE.fromEither(nodeSecurityGroupOf(groups, resourceGroup))),
      ),
    ttlMs: Infinity,
    nowMs,
  })
}

/** The one group that is named as AKS names it. Errors: Left for none, and for several (Z-NET-03). */
export const nodeSecurityGroupOf = (
  groups: ReadonlyArray<NetworkSecurityGroup>,
  resourceGroup: string,
): E.Either<ProviderError, SecurityGroup> => {
  const [found, ...more] = groups.filter(({ name = '' }) => /^aks-agentpool-\d{8}-nsg$/i.test(name))
  if (found?.id === undefined || found.name === undefined || more.length > 0)
    return E.left({
      _tag: 'InvalidRequest',
      field: 'node-resource-group',
      message: `Cannot tell the network security group of nodes: expected one in resource group ${resourceGroup} that is named aks-agentpool-12345678-nsg, found ${found === undefined ? 'none' : more.length + 1}; check --node-resource-group`,
    })
  return E.right({ id: found.id, name: found.name })
}
