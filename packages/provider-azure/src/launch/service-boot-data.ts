import type { Call, LaunchFailure, ProviderHost } from '@scantling/core'
import { pollUntil } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  nodeBootstrappingPath,
  nodeBootstrappingTimeoutMs,
  nodeLabels,
  provisionValuesOf,
  readNodeBootstrapping,
} from '../bootstrap/index.ts'
import { isTransient, providerErrorOf } from '../error-codes.ts'
import { distroOf } from '../image/index.ts'
import { machineOsDiskTypeFor } from '../instance-types/index.ts'
import type { ArmError, OtherServicesPort } from '../sdk/index.ts'
import type { AzureSettings } from '../settings.ts'
import type { BootData, BootDataOf } from './boot-data.ts'

const retryMs = 1_000

/**
 * Boot data that AKS' bootstrapping service writes: custom data, and the command of an extension (Z-NPS-01).
 *
 * The service is asked again while it cannot be reached or errs, all within the time that one answer may take.
 *
 * Errors: whatever it says; an image that it has no name for; an answer without a part.
 */
export const serviceBootData =
  (options: {
    readonly others: Pick<OtherServicesPort, 'nodeBootstrapping'>
    readonly settings: AzureSettings
    readonly host: Pick<ProviderHost, 'clock'>
  }): BootDataOf =>
  ({ claim, nodeClass, plan }, call) =>
  async () => {
    const { others, settings, host } = options
    const { type, offering, sku, ultraSsd, kubernetesVersion, imageId } = plan
    const distro = distroOf(imageId, nodeClass, kubernetesVersion, settings.useSig)
    if (distro === undefined)
      return failed('ImageNotFound', `AKS’ bootstrapping service has no name for image ${imageId}`)
    const body = provisionValuesOf({
      claim,
      nodeClass,
      type,
      labels: nodeLabels({ claim, nodeClass, kubernetesVersion, type, offering, ultraSsd, settings }),
      kubernetesVersion,
      distro,
      isEphemeralOsDisk: machineOsDiskTypeFor(sku.ephemeralOsDisk, nodeClass.spec.osDiskSizeGB) === 'Ephemeral',
      settings,
    })
    const path = nodeBootstrappingPath(settings.subscriptionId, settings.clusterResourceGroup, call.cluster.name)
    const answered = await askPatiently((signal) => others.nodeBootstrapping({ path, body }, signal), host, call)()
    if (E.isLeft(answered)) {
      const error = providerErrorOf(answered.left)
      const message = `AKS’ bootstrapping service does not answer: ${error.message}; check --nodebootstrapping-server-url`
      return E.left({ reason: 'NodeBootstrappingFailed', error: { ...error, message } })
    }
    const read = readNodeBootstrapping(answered.right, settings.kubeletBootstrapToken)
    if (E.isLeft(read)) return failed('NodeBootstrappingFailed', read.left)
    return E.right({ customData: read.right.customData, command: read.right.cse })
  }

const failed = (reason: string, message: string): E.Either<LaunchFailure, BootData> =>
  E.left({ reason, error: { _tag: 'Unknown', message } })

/** Asks until there is an answer, or until the time of one is over; then the latest error stands. */
const askPatiently =
  (
    ask: (signal: Call['signal']) => TaskEither<ArmError, unknown>,
    { clock }: Pick<ProviderHost, 'clock'>,
    { signal }: Call,
  ): TaskEither<ArmError, unknown> =>
  async () => {
    let latest: ArmError = { action: 'node bootstrapping', code: 'Cancelled', message: 'Cancelled', phase: 'request' }
    const timeUp = new AbortController()
    const abort = () => timeUp.abort()
    const over = new AbortController()
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    void clock.sleep(nodeBootstrappingTimeoutMs, over.signal).then(
      () => {
        if (latest.code === 'Cancelled')
          latest = {
            ...latest,
            code: 'Unreachable',
            message: `no answer within ${nodeBootstrappingTimeoutMs / 1000} s`,
          }
        abort()
      },
      () => undefined,
    )
    try {
      return await pollUntil<ArmError, unknown>(
        async () => {
          const answer = await ask(timeUp.signal)()
          if (E.isRight(answer)) return E.right({ _tag: 'Done', value: answer.right })
          if (answer.left.code === 'Cancelled') return E.left(latest)
          latest = answer.left
          return isTransient(latest)
            ? E.right({
                _tag: 'Again',
                ...(latest.retryAfterMs !== undefined && { retryAfterMs: latest.retryAfterMs }),
              })
            : answer
        },
        {
          everyMs: retryMs,
          timeoutMs: nodeBootstrappingTimeoutMs,
          clock,
          signal: timeUp.signal,
          timedOut: () => latest,
          cancelled: () => latest,
        },
      )()
    } finally {
      over.abort()
      signal.removeEventListener('abort', abort)
    }
  }
