import type { CancelSignal, ProviderError } from '@scantling/core'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isTransient, providerErrorOf } from '../error-codes.ts'
import { parseSubnetId } from '../resource-id/index.ts'
import type { NetworkPort } from '../sdk/index.ts'
import type { AzureSettings } from '../settings.ts'

const unreachableRetryMs = 5_000

/**
 * The GUID of the cluster's network, which nodes of an overlay bear as a label: the setting, or asked for (Z-NET-07).
 *
 * Empty where no node needs it. Errors: a network that cannot be read, and one without a GUID.
 */
export const vnetGuidOf = (
  network: Pick<NetworkPort, 'getVnet'>,
  settings: Pick<AzureSettings, 'networkPlugin' | 'networkPluginMode' | 'vnetGuid' | 'vnetSubnetId'>,
  signal: CancelSignal,
): TE.TaskEither<ProviderError, string> => {
  const isNeeded = settings.networkPlugin === 'azure' && settings.networkPluginMode === 'overlay'
  if (!isNeeded || settings.vnetGuid !== '') return TE.right(settings.vnetGuid)
  const { resourceGroup = '', vnet = '' } = parseSubnetId(settings.vnetSubnetId) ?? {}
  const failed = (error: ProviderError): ProviderError => ({
    ...error,
    message: `Cannot find the GUID of virtual network ${vnet}: ${error.message}; or set --vnet-guid`,
  })
  return pipe(
    network.getVnet({ resourceGroup, name: vnet }, signal),
    TE.mapLeft((error) =>
      failed({
        ...providerErrorOf(error),
        ...(isTransient(error) && { retryAfterMs: error.retryAfterMs ?? unreachableRetryMs }),
      }),
    ),
    TE.chain(({ resourceGuid = '' }) =>
      resourceGuid === ''
        ? TE.left(failed({ _tag: 'InvalidRequest', field: 'vnet-guid', message: 'Azure tells none' }))
        : TE.right(resourceGuid),
    ),
  )
}
