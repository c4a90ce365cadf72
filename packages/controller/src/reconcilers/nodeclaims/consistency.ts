import * as E from 'fp-ts/lib/Either.js'
import { Conditions, nodeShapeVerdict } from '@scantling/core'
import type { Reconciler } from '../../queue/index.ts'
import { nodesOf } from '../claim-nodes.ts'
import { writeClaimStatus } from '../claim-writes.ts'
import type { ReconcilerContext } from '../context.ts'
import { claimEvent } from '../event-records.ts'

const everyMs = 600_000

/** Says of each initialized claim, every ten minutes, whether its node is what was bought. C-CONSIST-01…03. */
export const nodeClaimConsistency = (context: ReconcilerContext): Reconciler => {
  const checkedAtMs = new Map<string, number>()
  context.caches.nodeClaims.onChange((change) => {
    if (change._tag === 'Deleted') checkedAtMs.delete(change.previous.metadata.uid)
  })
  return {
    name: 'nodeclaim.consistency',
    concurrency: 10,
    reconcile: (key) => async () => {
      const { caches, views, nodeClasses, clock, events } = context
      const object = caches.nodeClaims.get(key)
      const claim = object && views.claim(object)
      if (claim?.providerId === undefined || claim.deletionTimestampMs !== undefined) return E.right({})
      if (!nodeClasses.isManaged(claim.nodeClass) || !Conditions.isTrue(claim.conditions, 'Initialized'))
        return E.right({})
      const waitedMs = clock.nowMs() - (checkedAtMs.get(claim.uid) ?? -Infinity)
      if (waitedMs < everyMs) return E.right({ requeueAfterMs: everyMs - waitedMs })
      const [node, second] = nodesOf(context, claim)
      if (node === undefined || second !== undefined) return E.right({})
      // Who initialized the claim just now has said so already; then nothing is written.
      const verdict = nodeShapeVerdict(claim, node)
      const written = await writeClaimStatus(context, claim, [verdict])()
      if (E.isLeft(written)) return written
      const { message: problem } = verdict
      if (problem !== undefined)
        events.record({
          ...claimEvent(claim, 'Warning', 'FailedConsistencyCheck', problem),
          dedupe: [claim.uid, problem],
        })
      checkedAtMs.set(claim.uid, clock.nowMs())
      return E.right({ requeueAfterMs: everyMs })
    },
  }
}
