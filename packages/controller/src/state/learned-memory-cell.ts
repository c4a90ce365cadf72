import { labelKeys, Labels, LearnedMemories, Resources, type LearnedMemory, type ObservedNode } from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import type { Caches } from '../cache/index.ts'

// A walk over the claims is cheap, and not so cheap that every pass should take one.
const lookAgainAfterMs = 10_000

/**
 * The memory that registered Nodes of ours really have (A-DSC).
 *
 * In this process alone: after a restart the Nodes that are alive teach it again. Cost: O(claims), every ten seconds.
 */
export const makeLearnedMemoryCell = (
  caches: Pick<Caches, 'nodes' | 'nodeClaims'>,
  clock: Clock,
): (() => LearnedMemory) => {
  let learned = LearnedMemories.empty
  let lookedAtMs: number | undefined
  return () => {
    const nowMs = clock.nowMs()
    if (lookedAtMs !== undefined && nowMs - lookedAtMs < lookAgainAfterMs) return learned
    lookedAtMs = nowMs
    learned = LearnedMemories.observe(learned, observedNodes(caches), nowMs)
    return learned
  }
}

const observedNodes = ({ nodes, nodeClaims }: Pick<Caches, 'nodes' | 'nodeClaims'>): ReadonlyArray<ObservedNode> => {
  const observed: Array<ObservedNode> = []
  for (const { status } of nodeClaims.values()) {
    const { providerID, imageID } = status
    const node = providerID === undefined ? undefined : nodes.by('byProviderId', providerID)[0]
    if (imageID === undefined || node === undefined) continue
    const { labels } = node.metadata
    const instanceType = Labels.get(labels, labelKeys.instanceType)
    if (instanceType === undefined || Labels.get(labels, labelKeys.registered) !== 'true') continue
    observed.push({ instanceType, imageId: imageID, memory: Resources.get(node.status.capacity, 'memory') })
  }
  return observed
}
