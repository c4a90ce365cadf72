import * as E from 'fp-ts/lib/Either.js'
import { Taints, type ConditionChange } from '@scantling/core'
import type { KubeError } from '../../kube/index.ts'
import { writeClaimStatus } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { taintManifest } from '../node-writes.ts'

type Outcome = E.Either<KubeError, void>

const nothingToDo: Outcome = E.right(undefined)
// Of two writers one reads again, this often.
const tries = 4

/**
 * Says on Node and claim that the machine is about to go: a taint that keeps new pods away, then the reason as a
 * condition. D-QUEUE-02. What is gone meanwhile needs no mark.
 */
export const mark = async (context: ReconcilerContext, claim: string, reason: string): Promise<Outcome> => {
  const tainted = await setTaint(context, claim, true)
  if (E.isLeft(tainted)) return tainted
  return setCondition(context, claim, { type: 'DisruptionReason', status: 'True', reason, message: reason })
}

/** Takes both marks back; D-QUEUE-17, D-QUEUE-18. */
export const unmark = async (context: ReconcilerContext, claim: string): Promise<Outcome> => {
  const tainted = await setTaint(context, claim, false)
  if (E.isLeft(tainted)) return tainted
  return setCondition(context, claim, { type: 'DisruptionReason', status: 'Absent' })
}

const setCondition = (context: ReconcilerContext, name: string, change: ConditionChange): Promise<Outcome> => {
  const { caches, views } = context
  return again(context, {
    attempt: async () => {
      const object = caches.nodeClaims.get(name)
      if (object === undefined) return nothingToDo
      return E.map(() => undefined)(await writeClaimStatus(context, views.claim(object), [change])())
    },
    refresh: async () => {
      const read = await context.kube.get(caches.nodeClaims.kind, { name })()
      if (E.isRight(read)) caches.nodeClaims.observe(read.right)
    },
  })
}

const setTaint = (context: ReconcilerContext, claim: string, isWanted: boolean): Promise<Outcome> => {
  const { caches, kube, views } = context
  const nodeOf = () => {
    const providerId = caches.nodeClaims.get(claim)?.status.providerID
    return providerId === undefined ? undefined : caches.nodes.by('byProviderId', providerId)[0]
  }
  return again(context, {
    attempt: async () => {
      const object = nodeOf()
      if (object === undefined) return nothingToDo
      const { name, taints, resourceVersion, deletionTimestampMs } = views.node(object)
      const rest = taints.filter((taint) => !Taints.isSameMark(taint, Taints.disruptedTaint))
      const isMarked = rest.length < taints.length
      // A node that is on its way out keeps its mark (D-QUEUE-17).
      if (isWanted === isMarked || (isMarked && deletionTimestampMs !== undefined)) return nothingToDo
      const body = {
        metadata: { resourceVersion },
        spec: { taints: (isWanted ? [...rest, Taints.disruptedTaint] : rest).map(taintManifest) },
      }
      const patched = await kube.patch(caches.nodes.kind, { name }, { type: 'merge', body })()
      if (E.isLeft(patched)) return patched
      caches.nodes.observe(patched.right)
      return nothingToDo
    },
    refresh: async () => {
      const name = nodeOf()?.metadata.name
      if (name === undefined) return
      const read = await kube.get(caches.nodes.kind, { name })()
      if (E.isRight(read)) caches.nodes.observe(read.right)
    },
  })
}

/** Conflicts are read anew and tried again; what is not there counts as done. */
const again = async (
  { shutdown }: ReconcilerContext,
  write: { readonly attempt: () => Promise<Outcome>; readonly refresh: () => Promise<void> },
): Promise<Outcome> => {
  for (let left = tries; ; left -= 1) {
    const done = await write.attempt()
    if (E.isRight(done)) return done
    if (done.left._tag === 'NotFound') return nothingToDo
    if (done.left._tag !== 'Conflict' || left <= 1 || shutdown.aborted) return done
    await write.refresh()
  }
}
