import { clusterCost } from '@scantling/core'
import { families } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'

// As often as the reference reports its NodePools (M-NP-01).
const everyMs = 10_000

/** Keeps the price per hour of each NodePool in the metrics, from the prices of now. P-AUX-01, M-NP-01. */
export const runNodePoolCosts = async (context: ReconcilerContext): Promise<void> => {
  const { clock, shutdown, metrics, state, types, log } = context
  let reported: ReadonlySet<string> = new Set()
  let missing = ''
  while (!shutdown.aborted) {
    const call = { signal: shutdown, cluster: context.clusterFacts() }
    // A NodePool whose types cannot be had keeps what was last reported of it.
    const failed = new Set<string>()
    const known = await types.ofNodePools(state.nodePools(), call, ({ name }) => failed.add(name))
    if (shutdown.aborted) return
    const costs = clusterCost(state.nodes(), known)
    const present = new Set(state.nodePools().map(({ name }) => name))
    for (const name of present)
      if (!failed.has(name)) metrics.set(families.nodePoolsCost, { nodepool: name }, costs.get(name)?.pricePerHour ?? 0)
    for (const name of reported) if (!present.has(name)) metrics.remove(families.nodePoolsCost, { nodepool: name })
    reported = present
    const unpriced = [...costs].flatMap(([nodePool, { machines }]) =>
      failed.has(nodePool)
        ? []
        : machines.flatMap(({ instanceType, zone, capacityType, pricePerHour }) =>
            pricePerHour === undefined ? [`${nodePool}: ${instanceType} ${capacityType} in ${zone}`] : [],
          ),
    )
    const text = unpriced.join('; ')
    if (text !== missing && text !== '') log.warn('Some machines have no known price and count 0', { machines: text })
    missing = text
    await clock.sleep(everyMs, shutdown).catch(() => undefined)
  }
}
