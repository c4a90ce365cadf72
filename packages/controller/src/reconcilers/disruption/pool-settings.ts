import * as E from 'fp-ts/lib/Either.js'
import { decodeNodePoolSettings, labelKeys, type ClaimState, type NodePoolSettings } from '@scantling/core'
import type { ReconcilerContext } from '../context.ts'

/**
 * Scantling's own settings of the NodePool that a claim is of.
 *
 * None of them where one is wrong: the NodePool says so in its conditions, and nothing is guessed meanwhile.
 */
export const settingsOf = (
  { caches }: Pick<ReconcilerContext, 'caches'>,
  { labels }: Pick<ClaimState, 'labels'>,
): NodePoolSettings => {
  const object = caches.nodePools.get(labels[labelKeys.nodePool] ?? '')
  const decoded = decodeNodePoolSettings(object?.metadata.annotations ?? {})
  return E.isRight(decoded) ? decoded.right : {}
}

/** Whether a replacement has to be Ready before a node of the claim's pool loses its first pod. */
export const replacesFirst = (context: Pick<ReconcilerContext, 'caches'>, claim: Pick<ClaimState, 'labels'>): boolean =>
  settingsOf(context, claim).replaceBeforeEvict === 'true'
