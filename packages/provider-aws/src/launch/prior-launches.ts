import type { Call, Instance, InstanceList, LaunchFailure, LaunchRequest, ProviderError } from '@scantling/core'
import { memoize } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { visibilityLagMs, type Ec2Details, type Instances } from '../instances/index.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import { tagKeys } from '../tags.ts'

const remembered = 10_000

/** Which machine a token has from before: by this process's memory, or by the tag of one that an earlier process launched. */
export interface PriorLaunches {
  readonly find: (
    request: Pick<LaunchRequest<Ec2NodeClass>, 'token' | 'claim'>,
    call: Call,
  ) => Promise<E.Either<LaunchFailure, Instance<Ec2Details> | undefined>>
  readonly remember: (token: string, instance: Instance<Ec2Details>) => void
  /** How often EC2 refused the token; part of the client token, under which refusals are remembered too. */
  readonly attemptOf: (token: string) => number
  readonly refused: (token: string) => void
  /** EC2 knows the token with another wish: some process before this one used it. */
  readonly taken: (token: string) => void
}

export const priorLaunches = (instances: Pick<Instances, 'get' | 'list'>, nowMs: () => number): PriorLaunches => {
  const launched = new Map<string, Instance<Ec2Details>>()
  const attempts = new Map<string, number>()
  const takenSinceMs = new Map<string, number>()
  // Listed once in the life of a process, and not once per machine: a burst shares the list.
  const survivors = memoize<Call, ProviderError, ReadonlyMap<string, Instance<Ec2Details>>>({
    idOf: () => 'survivors',
    ttlMs: Number.POSITIVE_INFINITY,
    nowMs,
    load: ({ cluster, signal }) => pipe(instances.list(cluster.name, signal), TE.map(byLaunchToken)),
  })

  const refused = (token: string) => {
    attempts.set(token, (attempts.get(token) ?? 0) + 1)
    for (const oldest of attempts.keys()) {
      if (attempts.size <= remembered) break
      attempts.delete(oldest)
    }
  }
  return {
    find: async ({ token, claim }, call) => {
      const own = launched.get(token)
      if (own !== undefined) {
        const current = await instances.get(own.providerId, call.signal)()
        const hasEnded = E.isRight(current)
          ? current.right.phase === 'terminating'
          : current.left._tag === 'InstanceNotFound'
        // A claim has one machine in its life: for another the shell makes another claim.
        return hasEnded
          ? E.left({
              reason: 'InstanceEnded',
              error: { _tag: 'InsufficientCapacity', message: `The instance of claim ${claim.name} has ended` },
            })
          : E.right(own)
      }
      let listed = await survivors.get(call)()
      // Whoever asked first may have left; the others have not.
      if (E.isLeft(listed) && listed.left.code === 'Cancelled' && !call.signal.aborted)
        listed = await survivors.get(call)()
      return E.bimap(
        (error: ProviderError): LaunchFailure => ({ reason: 'LaunchFailed', error }),
        (all: ReadonlyMap<string, Instance<Ec2Details>>) => all.get(token),
      )(listed)
    },
    remember: (token, instance) => {
      launched.set(token, instance)
      attempts.delete(token)
      for (const oldest of launched.keys()) {
        if (launched.size <= remembered) break
        launched.delete(oldest)
      }
    },
    attemptOf: (token) => attempts.get(token) ?? 0,
    refused,
    taken: (token) => {
      const sinceMs = takenSinceMs.get(token) ?? nowMs()
      takenSinceMs.set(token, sinceMs)
      // Its machine is in the next list, if it got one; a minute later it surely would be.
      survivors.clear()
      if (nowMs() - sinceMs < visibilityLagMs) return
      takenSinceMs.delete(token)
      refused(token)
    },
  }
}

const byLaunchToken = ({ instances }: InstanceList<Ec2Details>): ReadonlyMap<string, Instance<Ec2Details>> =>
  new Map(
    instances.flatMap((instance) => {
      const tags = instance.details?.tags ?? {}
      const token = Object.hasOwn(tags, tagKeys.launchToken) ? tags[tagKeys.launchToken] : undefined
      return token === undefined || instance.phase === 'terminating' ? [] : [[token, instance] as const]
    }),
  )
