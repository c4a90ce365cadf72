import type { LoadBalancer } from '@azure/arm-network'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isSame } from '../resource-id/index.ts'
import type { ArmError, NetworkPort } from '../sdk/index.ts'
import { refreshable, type Refreshable } from './refreshable.ts'

const knownMs = 2 * 3_600_000
const ours = ['kubernetes', 'kubernetes-internal']
const ipv6 = ['kubernetes-ipv6', 'aksOutboundBackendPool-ipv6']

/** IDs of the backend pools that every node joins. */
export type BackendPools = Refreshable<ArmError, ReadonlyArray<string>>

/** The pools of the cluster's load balancers, read every two hours, or when one of them is gone (Z-NET-01, Z-NET-02). */
export const backendPools = (options: {
  readonly network: Pick<NetworkPort, 'listLoadBalancers'>
  readonly resourceGroup: string
  readonly nowMs: () => number
}): BackendPools =>
  refreshable({
    load: (signal) =>
      pipe(options.network.listLoadBalancers({ resourceGroup: options.resourceGroup }, signal), TE.map(poolIdsOf)),
    ttlMs: knownMs,
    nowMs: options.nowMs,
  })

/** Pools for NICs: not those of IPv6, and not those whose members are addresses. Without a balancer there is none. */
export const poolIdsOf = (balancers: ReadonlyArray<LoadBalancer>): ReadonlyArray<string> =>
  balancers
    .filter(({ name = '' }) => ours.some((one) => isSame(one, name)))
    .flatMap(({ backendAddressPools = [] }) => backendAddressPools)
    .filter(({ name = '' }) => !ipv6.some((one) => isSame(one, name)))
    .filter(
      ({ loadBalancerBackendAddresses = [] }) =>
        !loadBalancerBackendAddresses.some(({ ipAddress }) => ipAddress !== undefined && ipAddress !== ''),
    )
    .flatMap(({ id }) => id ?? [])
