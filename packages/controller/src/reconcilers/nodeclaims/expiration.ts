import * as E from 'fp-ts/lib/Either.js'
import type { Reconciler } from '../../queue/index.ts'
import { deleteClaim } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { countDisruptedWithPods } from '../count-disrupted.ts'
import { replacesFirst } from '../disruption/index.ts'

/**
 * Deletes claims whose time is up. C-EXP-01…03.
 *
 * Whatever budgets, pods and their PodDisruptionBudgets say: `expireAfter` bounds a machine's life. What protects pods
 * is the drain.
 */
export const nodeClaimExpiration = (context: ReconcilerContext): Reconciler => ({
  name: 'nodeclaim.expiration',
  concurrency: 10,
  reconcile: (key) => async () => {
    const { caches, views, nodeClasses, clock, log } = context
    const object = caches.nodeClaims.get(key)
    const claim = object && views.claim(object)
    if (claim?.expireAfterMs === undefined || claim.deletionTimestampMs !== undefined) return E.right({})
    if (!nodeClasses.isManaged(claim.nodeClass)) return E.right({})
    const leftMs = claim.createdAtMs + claim.expireAfterMs - clock.nowMs()
    if (leftMs > 0) return E.right({ requeueAfterMs: leftMs })
    // The disruption loop replaces it, and then lets it go.
    if (replacesFirst(context, claim)) return E.right({})
    const deleted = await deleteClaim(context, claim)()
    if (E.isLeft(deleted)) return deleted
    countDisruptedWithPods(context, claim, 'expired')
    log.info('NodeClaim expired', { NodeClaim: claim.name })
    return E.right({})
  },
})
