import type { ClaimState, ConditionChange, NodeState } from '../cluster/index.ts'
import { compareText } from '../internal/index.ts'
import { Quantity, Resources } from '../quantity/index.ts'

// Kubelets keep a little for themselves; a node that has less than this share is not what was bought.
const leastShare = 0.9

/**
 * What an initialized node has much less of than its claim was promised; `undefined`: nothing. C-CONSIST-02.
 *
 * @example
 * import { nodeClaimObject, nodeObject } from '@scantling/core/testing'
 * const claim = ingestNodeClaim(nodeClaimObject('general-1', 'general'))
 * nodeShapeProblem(claim, ingestNode(nodeObject('node-1'))) // => undefined
 */
export const nodeShapeProblem = (
  { requests, capacity }: Pick<ClaimState, 'requests' | 'capacity'>,
  node: Pick<NodeState, 'capacity'>,
): string | undefined => {
  for (const name of Object.keys(requests).sort(compareText)) {
    const promised = Quantity.toNumber(Resources.get(capacity, name))
    if (promised === 0 || Quantity.isZero(Resources.get(requests, name))) continue
    const found = Resources.get(node.capacity, name)
    if (Quantity.toNumber(found) < leastShare * promised)
      return `Expected ${Resources.get(capacity, name)} of resource ${name}, but the node has ${found}`
  }
  return undefined
}

/**
 * What the claim says of its node's shape. C-CONSIST-03.
 *
 * @example
 * import { nodeClaimObject, nodeObject } from '@scantling/core/testing'
 * const claim = ingestNodeClaim(nodeClaimObject('general-1', 'general'))
 * nodeShapeVerdict(claim, ingestNode(nodeObject('node-1'))) // => { type: 'ConsistentStateFound', status: 'True' }
 */
export const nodeShapeVerdict = (
  claim: Pick<ClaimState, 'requests' | 'capacity'>,
  node: Pick<NodeState, 'capacity'>,
): ConditionChange => {
  const problem = nodeShapeProblem(claim, node)
  const type = 'ConsistentStateFound'
  return problem === undefined
    ? { type, status: 'True' }
    : { type, status: 'False', reason: 'ConsistencyCheckFailed', message: problem }
}
