import * as TE from 'fp-ts/lib/TaskEither.js'
import type { CloudProvider, NodeClassObject, ProviderError } from '@scantling/core'
import type { KubeClient, KubeError } from '../kube/index.ts'

const notLeading = 'this replica does not lead any more'

/** The client of a replica that may write only while it leads: asked before each write, not once at its start. */
export const fenceClient = (client: KubeClient, isLeader: () => boolean): KubeClient => {
  const fence =
    <A>(call: TE.TaskEither<KubeError, A>): TE.TaskEither<KubeError, A> =>
    () =>
      isLeader() ? call() : TE.left<KubeError, A>({ _tag: 'Cancelled', message: `Cannot write: ${notLeading}` })()
  return {
    ...client,
    create: (...call) => fence(client.create(...call)),
    update: (...call) => fence(client.update(...call)),
    patch: (...call) => fence(client.patch(...call)),
    patchStatus: (...call) => fence(client.patchStatus(...call)),
    delete: (...call) => fence(client.delete(...call)),
    evict: (...call) => fence(client.evict(...call)),
  }
}

/** The provider of a replica that may change the cloud only while it leads. */
export const fenceProvider = <C extends NodeClassObject>(
  provider: CloudProvider<C>,
  isLeader: () => boolean,
): CloudProvider<C> => {
  const refusal: ProviderError = { _tag: 'Unknown', message: `Cannot change the cloud: ${notLeading}` }
  const fence =
    <A>(call: TE.TaskEither<ProviderError, A>): TE.TaskEither<ProviderError, A> =>
    () =>
      isLeader() ? call() : TE.left<ProviderError, A>(refusal)()
  const { release, converge, resolve } = provider
  return {
    ...provider,
    launch: (request, call) => () =>
      isLeader()
        ? provider.launch(request, call)()
        : TE.left({ error: refusal, reason: 'NotLeading', keepClaim: true as const })(),
    terminate: (target, call) => fence(provider.terminate(target, call)),
    ...(release === undefined ? {} : { release: (nodeClass, call) => fence(release(nodeClass, call)) }),
    ...(converge === undefined ? {} : { converge: (subject, call) => fence(converge(subject, call)) }),
    ...(resolve === undefined ? {} : { resolve: (input, call) => fence(resolve(input, call)) }),
  }
}
