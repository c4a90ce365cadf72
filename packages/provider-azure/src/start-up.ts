import type { CancelSignal, ProviderError, ProviderHost } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isDenied, isNotFound, isTransient, isUnauthenticated, providerErrorOf } from './error-codes.ts'
import type { ArmError, AzurePorts } from './sdk/index.ts'
import type { AzureSettings } from './settings.ts'

const unreachableRetryMs = 5_000
const signInLimitMs = 5_000

type Checked = Pick<AzureSettings, 'location' | 'nodeResourceGroup' | 'subscriptionId'>

/**
 * Whether Azure answers: to our identity, for this subscription, this region and this resource group (Z-AUTH-03).
 *
 * Errors: with `retryAfterMs` where another try may help, without where someone has to change something; then the
 * process ends with the message, which says what.
 */
export const checkConnectivity = (
  ports: Pick<AzurePorts, 'signIn' | 'compute' | 'network'>,
  settings: Checked,
  clock: ProviderHost['clock'],
  signal: CancelSignal,
): TE.TaskEither<ProviderError, void> => {
  const { location, nodeResourceGroup: resourceGroup } = settings
  return pipe(
    within(signInLimitMs, clock, signal, (limited) => ports.signIn({}, limited)),
    TE.chain(() => ports.compute.listUsages({ location }, signal)),
    TE.chain(() => ports.network.listSecurityGroups({ resourceGroup }, signal)),
    TE.bimap(
      (error) => explained(error, settings),
      () => undefined,
    ),
  )
}

/** Gives a call so long, and says so when it took longer. */
const within =
  <A>(
    limitMs: number,
    clock: ProviderHost['clock'],
    signal: CancelSignal,
    run: (limited: CancelSignal) => TE.TaskEither<ArmError, A>,
  ): TE.TaskEither<ArmError, A> =>
  async () => {
    const limit = new AbortController()
    const abort = () => limit.abort()
    signal.addEventListener('abort', abort)
    let isLate = false
    const over = new AbortController()
    const late = clock.sleep(limitMs, over.signal).then(
      () => {
        isLate = true
        limit.abort()
        return E.left<ArmError, A>({
          action: 'sign in',
          code: 'CredentialsMissing',
          message: `No credential gave a token within ${limitMs / 1000} s`,
          phase: 'request',
        })
      },
      () => undefined,
    )
    try {
      const first = await Promise.race([run(limit.signal)(), late])
      if (first !== undefined && !isLate) return first
      return (await late) ?? E.left({ action: 'sign in', code: 'Cancelled', message: 'Cancelled', phase: 'request' })
    } finally {
      over.abort()
      signal.removeEventListener('abort', abort)
    }
  }

const explained = (error: ArmError, settings: Checked): ProviderError => {
  const found = providerErrorOf(error)
  const retry = isTransient(error) && { retryAfterMs: error.retryAfterMs ?? unreachableRetryMs }
  const message = `Azure does not answer the controller: ${found.message}`
  if (error.code === 'ResourceGroupNotFound')
    return {
      ...found,
      _tag: 'InvalidRequest',
      field: 'node-resource-group',
      message: `${message}; check --node-resource-group, ${settings.nodeResourceGroup}, and AZURE_SUBSCRIPTION_ID, ${settings.subscriptionId}`,
    }
  if (isNotFound(error) || (error.status === 400 && !isUnauthenticated(error) && !isDenied(error)))
    return {
      ...found,
      _tag: 'InvalidRequest',
      field: 'location',
      message: `${message}; check --location, ${settings.location}, and AZURE_SUBSCRIPTION_ID, ${settings.subscriptionId}`,
    }
  return { ...found, message, ...retry }
}
