import { balancedThreshold, type BlockedNode, type DisruptionCommand, type PoolScore } from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'
import { nodePoolEvent } from '../event-records.ts'
import { tellNodes } from './announcements.ts'

type Context = Pick<ReconcilerContext, 'metrics' | 'events' | 'caches' | 'log'>

/**
 * Counts a move that was approved for each of its NodePools, and tells of it where a Balanced one weighed it: for one
 * node on Node and claim, for several on the NodePools. Said before it is known whether the decision holds. D-BAL-10…12.
 */
export const tellApproved = (context: Context, command: DisruptionCommand): void => {
  for (const score of command.scores ?? []) {
    count(context, 'approved', score.nodePool, score.policy, score.balance?.score)
    if (score.balance === undefined) continue
    logScore(context, score, score.balance)
    const message = `Moving ${score.nodes === 1 ? 'one node' : `${score.nodes} nodes`} is worth it: ${inWords(score.balance)}`
    const pool = context.caches.nodePools.get(score.nodePool)
    if (command.candidates.length === 1) tellNodes(context, command, 'ConsolidationApproved', message)
    else if (pool !== undefined)
      context.events.record(nodePoolEvent(pool.metadata, 'Normal', 'ConsolidationApproved', message))
  }
}

/** Moves that a Balanced NodePool refused: counted and nothing more, for `Unconsolidatable` tells the nodes (D-BAL-10). */
export const countRejected = (context: Context, blocked: ReadonlyArray<BlockedNode>): void => {
  for (const { reason } of blocked)
    if (reason._tag === 'NotWorthwhile') count(context, 'rejected', reason.nodePool, 'Balanced', reason.score)
}

const count = (
  { metrics }: Context,
  decision: 'approved' | 'rejected',
  nodepool: string,
  policy: PoolScore['policy'],
  score: number | undefined,
): void => {
  metrics.add(families.consolidationMoves, { decision, nodepool, policy })
  if (score !== undefined) metrics.observe(families.consolidationScore, { decision, nodepool, policy }, score)
}

const percent = (part: number, whole: number | undefined): string =>
  whole === undefined || whole <= 0 ? 'an unknown share' : `${((100 * part) / whole).toFixed(1)}%`

const inWords = ({ score, savings, disruption, total }: NonNullable<PoolScore['balance']>): string =>
  `it saves ${percent(savings, total?.pricePerHour)} of what the NodePool costs for ${percent(disruption, total?.disruption)} of its disruption, a score of ${score.toFixed(2)}, and ${balancedThreshold} is enough`

const logScore = (
  { log }: Context,
  { nodePool, nodes }: PoolScore,
  { score, savings, disruption, total }: NonNullable<PoolScore['balance']>,
): void =>
  log.debug('Scored a consolidation', {
    NodePool: nodePool,
    score,
    threshold: balancedThreshold,
    k: 1 / balancedThreshold,
    candidates: nodes,
    savings,
    disruption,
    ...(total === undefined ? {} : { 'total-price': total.pricePerHour, 'total-disruption': total.disruption }),
    'savings-percent': percent(savings, total?.pricePerHour),
    'disruption-percent': percent(disruption, total?.disruption),
  })
