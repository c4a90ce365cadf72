import * as E from 'fp-ts/lib/Either.js'
import type { Call, ClaimState, Instance, InstanceList, Launched, LaunchFailure, ProviderError } from '@scantling/core'
import type { ReconcilerContext } from '../context.ts'

// Claims that go together share a list.
const listFreshMs = 5000

// After any other failure there may be a machine: the answer was lost, or the machine was launched before.
const surelyNothing: ReadonlySet<ProviderError['_tag']> = new Set([
  'InsufficientCapacity',
  'InvalidRequest',
  'NodeClassNotReady',
  'QuotaExceeded',
  'Unauthorized',
])

type Answer = E.Either<LaunchFailure, Launched<unknown>>

/**
 * What is known of machines that were launched, or may have been, for claims that do not name them.
 *
 * A claim that is deleted meanwhile takes no more notes of its machine, and would leave it behind.
 */
export interface LaunchMemory {
  /** Runs one launch of a claim, and keeps what came of it. */
  readonly during: (claim: ClaimState, launch: () => Promise<Answer>) => Promise<Answer>
  /** The claim names its machine, or is gone. */
  readonly forget: (uid: string) => void
  /** The claim with the machine that was launched for it, even if it does not name it yet. */
  readonly withMachine: (claim: ClaimState) => ClaimState
  /**
   * Looks for the machine of a claim that names none, and of which nobody can say that it has none.
   *
   * Cost: nothing where this process made the claim and saw all its launches refused; else one list, shared.
   */
  readonly find: (claim: ClaimState, call: Call) => Promise<E.Either<ProviderError, Instance | undefined>>
}

interface Attempts {
  readonly lastMs: number
  readonly isInDoubt: boolean
  readonly providerId?: string
}

export const makeLaunchMemory = ({
  caches,
  clock,
  ownClaims,
  provider,
}: Pick<ReconcilerContext, 'caches' | 'clock' | 'ownClaims' | 'provider'>): LaunchMemory => {
  const attempts = new Map<string, Attempts>()
  let latest: { readonly startedMs: number; readonly result: ReturnType<ReturnType<typeof provider.list>> } | undefined

  const listSince = async (sinceMs: number, call: Call): Promise<E.Either<ProviderError, InstanceList<unknown>>> => {
    const nowMs = clock.nowMs()
    if (latest === undefined || latest.startedMs <= sinceMs || nowMs - latest.startedMs >= listFreshMs)
      latest = { startedMs: nowMs, result: provider.list(call)() }
    const own = latest
    const listed = await own.result
    if (E.isLeft(listed) && latest === own) latest = undefined
    return listed
  }
  // What this process did not make, another may have launched.
  const isInDoubt = ({ name, uid }: ClaimState): boolean => attempts.get(uid)?.isInDoubt ?? !ownClaims.has(name)

  return {
    during: async (claim, launch) => {
      const { uid } = claim
      const wasInDoubt = isInDoubt(claim)
      attempts.set(uid, { lastMs: clock.nowMs(), isInDoubt: true })
      const answer = await launch()
      const lastMs = clock.nowMs()
      attempts.set(
        uid,
        E.isRight(answer)
          ? { lastMs, isInDoubt: true, providerId: answer.right.instance.providerId }
          : { lastMs, isInDoubt: wasInDoubt || !surelyNothing.has(answer.left.error._tag) },
      )
      return answer
    },
    forget: (uid) => void attempts.delete(uid),
    withMachine: (claim) => {
      const providerId = attempts.get(claim.uid)?.providerId
      return providerId === undefined || claim.providerId !== undefined ? claim : { ...claim, providerId }
    },
    find: async (claim, call) => {
      if (!isInDoubt(claim)) return E.right(undefined)
      const lastMs = attempts.get(claim.uid)?.lastMs ?? Number.NEGATIVE_INFINITY
      const listed = await listSince(lastMs, call)
      if (E.isLeft(listed)) return listed
      const found = listed.right.instances.find(
        ({ owner, phase, providerId }) =>
          owner.nodeClaim === claim.name &&
          phase !== 'terminating' &&
          caches.nodeClaims.by('byProviderId', providerId).length === 0,
      )
      if (found !== undefined) attempts.set(claim.uid, { lastMs, isInDoubt: true, providerId: found.providerId })
      return E.right(found)
    },
  }
}
