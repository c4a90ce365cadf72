import { labelKeys, type Call, type ClusterView, type MaintenanceTask, type ProviderHost } from '@scantling/core'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { inProcessCloud, type CloudError, type KwokCloud, type SimulatedCloud } from '../cloud/index.ts'
import { nameOf, tagKeys } from './instance.ts'
import type { KwokNodeClass } from './node-class.ts'

const notYet: CloudError = {
  code: 'NotRebuilt',
  message: 'The cloud in this process has not been told of its machines yet',
  retryAfterMs: 500,
}

/**
 * A cloud in this process, which starts empty, and the task that tells it of the machines that claims already stand for.
 *
 * Until the task has run, every call that asks for machines fails: an empty list would make all of them look lost, and a
 * launch could start one twice.
 */
export const rebuiltFromClaims = (
  simulated: SimulatedCloud,
  clock: ProviderHost['clock'],
): { readonly cloud: KwokCloud; readonly task: MaintenanceTask<KwokNodeClass> } => {
  const port = inProcessCloud(simulated, clock)
  let isRebuilt = false
  const gated =
    <I extends ReadonlyArray<unknown>, A>(call: (...input: I) => TE.TaskEither<CloudError, A>) =>
    (...input: I): TE.TaskEither<CloudError, A> =>
      isRebuilt ? call(...input) : TE.left(notYet)
  return {
    cloud: {
      ...port,
      launch: gated(port.launch),
      terminate: gated(port.terminate),
      get: gated(port.get),
      list: gated(port.list),
    },
    task: {
      name: 'rebuild-instances',
      everyMs: 24 * 3_600_000,
      runsOn: 'leader',
      gatesReadiness: true,
      run: (view, call) =>
        TE.fromIO(() => {
          // Once is enough: later on a claim may stand for a machine that has ended since.
          if (!isRebuilt) adoptAll(simulated, view, call, clock.nowMs())
          isRebuilt = true
          return {}
        }),
    },
  }
}

const adoptAll = (
  simulated: SimulatedCloud,
  { claims }: ClusterView<KwokNodeClass>,
  { cluster }: Call,
  launchedAtMs: number,
): void => {
  for (const { uid, name: claimName, providerId, labels, nodePool, nodeClass } of claims) {
    const name = providerId === undefined ? undefined : nameOf(providerId)
    const instanceType = labels[labelKeys.instanceType]
    const zone = labels[labelKeys.zone]
    const capacityType = labels[labelKeys.capacityType]
    if (name === undefined || !instanceType || !zone || !capacityType) continue
    const tags = {
      [tagKeys.cluster]: cluster.name,
      [tagKeys.nodeClaim]: claimName,
      [tagKeys.nodeClass]: nodeClass,
      ...(nodePool !== undefined && { [tagKeys.nodePool]: nodePool }),
    }
    simulated.adopt({ token: uid, name, instanceType, zone, capacityType, tags, launchedAtMs })
  }
}
