import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CloudProvider, NodeClassObject, ProviderError } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import { type Metrics, families } from '../observability/index.ts'

// The reference's names for the errors that its dashboards tell apart.
const errorNames: Partial<Record<ProviderError['_tag'], string>> = {
  InstanceNotFound: 'NodeClaimNotFoundError',
  NodeClassNotReady: 'NodeClassNotReadyError',
  InsufficientCapacity: 'InsufficientCapacityError',
}

/**
 * The provider with its calls timed and its failures counted, under the reference's method names.
 *
 * Source: parity row M-CP-01.
 */
export const observeProvider = <C extends NodeClassObject>(
  provider: CloudProvider<C>,
  name: string,
  metrics: Metrics,
  clock: Clock,
): CloudProvider<C> => {
  const observe = <L, A>(
    method: string,
    controller: string,
    errorOf: (left: L) => ProviderError,
    call: TaskEither<L, A>,
  ): TaskEither<L, A> => {
    const labels = { controller, method, provider: name }
    return async () => {
      const startedMs = clock.nowMs()
      const result = await call()
      metrics.observe(families.cloudProviderDuration, labels, (clock.nowMs() - startedMs) / 1000)
      if (E.isLeft(result)) {
        const error = errorNames[errorOf(result.left)._tag] ?? ''
        metrics.add(families.cloudProviderErrors, { ...labels, error })
      }
      return result
    }
  }
  const itself = (error: ProviderError) => error
  const { get } = provider
  return {
    ...provider,
    instanceTypes: (nodeClass, call) =>
      observe('GetInstanceTypes', 'provisioner', itself, provider.instanceTypes(nodeClass, call)),
    launch: (request, call) =>
      observe('Create', 'nodeclaim.lifecycle', ({ error }) => error, provider.launch(request, call)),
    terminate: (target, call) => observe('Delete', 'nodeclaim.lifecycle', itself, provider.terminate(target, call)),
    list: (call) => observe('List', 'nodeclaim.garbagecollection', itself, provider.list(call)),
    ...(get === undefined
      ? {}
      : { get: (target, call) => observe('Get', 'nodeclaim.lifecycle', itself, get(target, call)) }),
  }
}
