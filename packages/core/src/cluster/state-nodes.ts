import { Taints, type Taint } from '../taints/index.ts'
import type { Labels } from '../labels/index.ts'
import type { Quantity, ResourceList } from '../quantity/index.ts'
import type { StateNode } from './state-node.ts'

/**
 * Whether the node has joined: its Node says so, or nothing of ours manages it.
 *
 * @example
 * import { stateNode } from '@scantling/core/testing'
 * StateNodes.isRegistered(stateNode('node-1', { cpu: '4' })) // => true
 */
export const isRegistered = ({ node, isManaged }: StateNode): boolean =>
  node !== undefined && (!isManaged || node.labels['karpenter.sh/registered'] === 'true')

/**
 * Whether the node has finished starting; unmanaged nodes count as initialized (P-EXN-01).
 *
 * @example
 * import { stateNode } from '@scantling/core/testing'
 * StateNodes.isInitialized(stateNode('node-1', { cpu: '4' })) // => true
 */
export const isInitialized = ({ node, isManaged }: StateNode): boolean =>
  node !== undefined && (!isManaged || node.labels['karpenter.sh/initialized'] === 'true')

/**
 * The labels in force: the claim's until the node is registered (P-EXN-09).
 *
 * @example
 * import { stateNode } from '@scantling/core/testing'
 * StateNodes.labelsOf(stateNode('node-1', { cpu: '4' }, { labels: { team: 'a' } }))['team'] // => 'a'
 */
export const labelsOf = (state: StateNode): Labels =>
  state.node !== undefined && (isRegistered(state) || state.claim === undefined)
    ? state.node.labels
    : (state.claim?.labels ?? {})

/**
 * The taints that a pod must tolerate. P-TNT-03, P-TNT-04.
 *
 * Until a managed node is initialized, the marks that starting nodes shed by themselves do not count.
 *
 * @example
 * import { stateNode } from '@scantling/core/testing'
 * StateNodes.taintsOf(stateNode('node-1', { cpu: '4' })) // => []
 */
export const taintsOf = (state: StateNode): ReadonlyArray<Taint> => {
  const { node, claim } = state
  const usesClaim = state.isManaged && (!isRegistered(state) || node === undefined)
  const taints = usesClaim ? (claim?.taints ?? []) : (node?.taints ?? [])
  if (!state.isManaged || isInitialized(state)) return taints
  const startup = claim?.startupTaints ?? []
  return taints.filter((taint) => !Taints.isEphemeral(taint) && !startup.some((mark) => Taints.isSameMark(mark, taint)))
}

/**
 * The node's whole capacity, with `nodes: 1` (P-CST-05).
 *
 * @example
 * import { stateNode } from '@scantling/core/testing'
 * StateNodes.capacityOf(stateNode('node-1', { cpu: '4' })) // => { cpu: '4', pods: '110', nodes: '1' }
 */
export const capacityOf = (state: StateNode): ResourceList => ({
  ...resourcesOf(state, 'capacity'),
  nodes: '1' as Quantity,
})

/**
 * What pods may use of it. While a managed node starts, gaps are filled from its claim (P-EXN-06).
 *
 * @example
 * import { stateNode } from '@scantling/core/testing'
 * StateNodes.allocatableOf(stateNode('node-1', { cpu: '4' })) // => { cpu: '4', pods: '110' }
 */
export const allocatableOf = (state: StateNode): ResourceList => resourcesOf(state, 'allocatable')

const resourcesOf = (state: StateNode, field: 'capacity' | 'allocatable'): ResourceList => {
  const { node, claim } = state
  if (node === undefined) return claim?.[field] ?? {}
  if (!state.isManaged || isInitialized(state)) return node[field]
  const filled: Record<string, Quantity> = { ...node[field] }
  for (const [resource, quantity] of Object.entries(claim?.[field] ?? {})) {
    const present = Object.hasOwn(filled, resource) ? filled[resource] : undefined
    if (present === undefined || present === '0') filled[resource] = quantity
  }
  return filled
}
