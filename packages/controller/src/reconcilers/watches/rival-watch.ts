import { labelKeys } from '@scantling/core'
import type { ReconcilerContext } from '../context.ts'
import { nodePoolEvent } from '../event-records.ts'

// A leader before us may still be heard of for a while, and an answer to a write of ours comes after the watch's event.
const graceMs = 30_000
const settleMs = 5_000
const toldEveryMs = 10 * 60_000

/**
 * Tells when somebody else creates NodeClaims for the NodePools that this controller serves.
 *
 * Two controllers buy for the same pods and take away what the other bought. Leader election keeps replicas apart that
 * share a Lease; a second installation has another. Returns what stops it.
 */
export const watchRivals = (context: ReconcilerContext): (() => void) => {
  const { caches, clock, events, log, ownClaims } = context
  const startedAtMs = clock.nowMs()
  let toldAtMs = -Infinity
  const tell = (key: string) => {
    const claim = caches.nodeClaims.get(key)
    const pool = caches.nodePools.get(claim?.metadata.labels[labelKeys.nodePool] ?? '')
    const nowMs = clock.nowMs()
    if (claim === undefined || pool === undefined || ownClaims.has(key) || nowMs - toldAtMs < toldEveryMs) return
    toldAtMs = nowMs
    const { name } = pool.metadata
    const message = `NodeClaim ${key} of NodePool ${name} was created by another controller; two of them buy machines for the same pods, so stop one`
    log.warn(message, { NodeClaim: key, NodePool: name })
    events.record(nodePoolEvent(pool.metadata, 'Warning', 'AnotherController', message))
  }
  const pending = new Set<() => void>()
  const stop = caches.nodeClaims.onChange((change) => {
    if (change._tag === 'Deleted') ownClaims.delete(change.key)
    if (change._tag !== 'Added' || clock.nowMs() - startedAtMs < graceMs) return
    const cancel = clock.setTimer(settleMs, () => {
      pending.delete(cancel)
      tell(change.key)
    })
    pending.add(cancel)
  })
  return () => {
    stop()
    for (const cancel of pending) cancel()
  }
}
