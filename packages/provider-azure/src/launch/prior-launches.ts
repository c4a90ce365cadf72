import type { Call, Instance, LaunchFailure, LaunchRequest } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Instances, VmDetails } from '../instances/index.ts'
import type { AksNodeClass } from '../node-class/index.ts'

const remembered = 10_000
const endingRetryMs = 5_000

/** Which VM a claim has from before: by this process's memory, or left by an earlier process under the claim's name. */
export interface PriorLaunches {
  readonly find: (
    request: Pick<LaunchRequest<AksNodeClass>, 'token' | 'claim'>,
    name: string,
    call: Call,
  ) => Promise<E.Either<LaunchFailure, Instance<VmDetails> | undefined>>
  readonly remember: (token: string) => void
}

export const priorLaunches = (instances: Pick<Instances, 'get' | 'list'>): PriorLaunches => {
  const launched = new Set<string>()
  let survivors: Promise<E.Either<LaunchFailure, ReadonlySet<string>>> | undefined

  // Once in the life of a process, not once for each machine.
  const survivorsIn = async ({ cluster, signal }: Call): Promise<E.Either<LaunchFailure, ReadonlySet<string>>> => {
    const listed = await instances.list(cluster.name, signal)()
    if (E.isLeft(listed)) {
      survivors = undefined
      return E.left({ reason: 'CreateInstanceFailed', error: listed.left })
    }
    return E.right(new Set(listed.right.instances.flatMap(({ owner }) => owner.nodeClaim ?? [])))
  }

  return {
    find: async ({ token, claim }, name, call) => {
      let known = await (survivors ??= survivorsIn(call))
      // Whoever asked first may have left; the others have not.
      if (E.isLeft(known) && known.left.error.code === 'Cancelled' && !call.signal.aborted)
        known = await (survivors ??= survivorsIn(call))
      if (E.isLeft(known)) return known
      const isOurs = launched.has(token)
      if (!isOurs && !known.right.has(claim.name)) return E.right(undefined)
      const current = await instances.get(name, call.signal)()
      if (E.isRight(current) && current.right.phase !== 'terminating') return current
      if (E.isLeft(current) && current.left._tag !== 'InstanceNotFound')
        return E.left({ reason: 'CreateInstanceFailed', error: current.left })
      // A claim has one machine in its life: for another the shell makes another claim.
      if (isOurs)
        return E.left({
          reason: 'InstanceEnded',
          error: { _tag: 'InsufficientCapacity', message: `The VM of claim ${claim.name} has ended` },
        })
      return E.isLeft(current) ? E.right(undefined) : E.left(stillEnding(name))
    },
    remember: (token) => {
      launched.add(token)
      for (const oldest of launched) {
        if (launched.size <= remembered) break
        launched.delete(oldest)
      }
    },
  }
}

/** A VM of that name is on its way out: the name is free when it is gone. */
export const stillEnding = (name: string): LaunchFailure => ({
  reason: 'InstanceEnding',
  error: {
    _tag: 'Throttled',
    message: `A VM ${name} from before is being deleted`,
    retryAfterMs: endingRetryMs,
  },
})
