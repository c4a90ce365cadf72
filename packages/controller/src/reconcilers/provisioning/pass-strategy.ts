import * as E from 'fp-ts/lib/Either.js'
import { decodeNodePoolSettings, type NodePoolObject, type NodePoolSettings, type Strategy } from '@scantling/core'
import type { ReconcilerContext } from '../context.ts'
import { nodePoolEvent } from '../event-records.ts'

// The corrected decisions; see docs/differences-from-karpenter.md.
const defaultStrategy: Strategy = 'first-fit'
const toldTtlMs = 15 * 60_000

/**
 * Whose decisions a pass makes: what the NodePools ask for by `scantling.sh/strategy`, if they agree.
 *
 * A pass weighs all NodePools against each other for every pod, so that it follows one strategy. Where NodePools ask for
 * different ones, or for one that cannot be had, the default holds, and those that asked are told.
 */
export const passStrategy = (context: ReconcilerContext): Strategy => {
  const { caches, nodeClasses } = context
  const asking = [...caches.nodePools.values()].flatMap((object) => {
    const strategy = nodeClasses.isManaged(object.spec.template.spec.nodeClassRef) ? askedBy(object) : undefined
    return strategy === undefined ? [] : [{ object, strategy }]
  })
  const [first] = asking
  if (first === undefined) return defaultStrategy
  if (asking.some(({ strategy }) => strategy !== first.strategy)) {
    tell(context, asking, `NodePools ask for different strategies, and a pass follows one: ${defaultStrategy} holds`)
    return defaultStrategy
  }
  if (first.strategy === 'cost') {
    tell(context, asking, `The strategy cost is not to be had in this version: ${defaultStrategy} holds`)
    return defaultStrategy
  }
  return first.strategy
}

const askedBy = ({ metadata }: NodePoolObject): NodePoolSettings['strategy'] => {
  const decoded = decodeNodePoolSettings(metadata.annotations)
  return E.isRight(decoded) ? decoded.right.strategy : undefined
}

const tell = (
  { events }: ReconcilerContext,
  asking: ReadonlyArray<{ readonly object: NodePoolObject }>,
  message: string,
): void => {
  for (const { object } of asking)
    events.record({
      ...nodePoolEvent(object.metadata, 'Warning', 'StrategyNotFollowed', message),
      dedupe: [object.metadata.uid, message],
      ttlMs: toldTtlMs,
    })
}
