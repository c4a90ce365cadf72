import type { Call, Launched, LaunchFailure, LaunchRequest } from '@scantling/core'
import type * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AzureDetails } from '../instances/index.ts'
import type { AksNodeClass } from '../node-class/index.ts'

type Launch = (request: LaunchRequest<AksNodeClass>, call: Call) => TaskEither<LaunchFailure, Launched<AzureDetails>>

/** Lets one launch of a token be under way at a time; who asks meanwhile gets its outcome. */
export const launchOnce = (launch: Launch): Launch => {
  const underWay = new Map<string, Promise<E.Either<LaunchFailure, Launched<AzureDetails>>>>()
  return (request, call) => () => {
    const present = underWay.get(request.token)
    if (present !== undefined) return present
    const made = launch(request, call)().finally(() => underWay.delete(request.token))
    underWay.set(request.token, made)
    return made
  }
}
