import { podKey } from '../cluster/index.ts'
import { invariant, type Steps } from '../internal/index.ts'
import { usableNodePools, type Simulation, type SimulationTerms } from '../scheduling/index.ts'
import type { CandidateState } from './candidate.ts'
import type { Pass } from './pass.ts'
import type { BlockedReason } from './plan.ts'

const mostNamed = 5

/** Why a simulation that leaves pods without a place settles the matter (D-SIM-07, D-SIM-08). */
const homelessReason = ({ homeless }: Simulation): BlockedReason => {
  const stranded = homeless.filter(({ uninitializedNode }) => uninitializedNode === undefined)
  const [first, ...rest] = stranded.slice(0, mostNamed).map(({ pod }) => podKey(pod))
  if (first !== undefined) return { _tag: 'PodsWithoutPlace', pods: [first, ...rest], total: stranded.length }
  const [waiting] = homeless
  invariant(waiting?.uninitializedNode !== undefined, 'a pod without a place')
  return { _tag: 'NeedsUninitializedNode', pod: podKey(waiting.pod), node: waiting.uninitializedNode }
}

/**
 * As {@link homelessReason}, or that limits leave no room for a node and its replacement at once.
 *
 * Limits are to blame where the pods have a place once the nodes no longer use any of them.
 */
export function* whyHomeless(
  moved: ReadonlyArray<CandidateState>,
  simulation: Simulation,
  pass: Pass,
  terms: SimulationTerms & { readonly keepsRestingNodes: boolean },
): Steps<BlockedReason> {
  const [first, ...rest] = usableNodePools(pass.snapshot).filter(({ limits = {} }) => Object.keys(limits).length > 0)
  if (pass.strategy === 'reference' || first === undefined) return homelessReason(simulation)
  const names = moved.map(({ state }) => state.name)
  const afterwards = yield* pass.without(names, { ...terms, limits: 'after' })
  if (afterwards === undefined || afterwards.homeless.length > 0) return homelessReason(simulation)
  return { _tag: 'LimitWhileReplacing', nodePools: [first.name, ...rest.map(({ name }) => name)] }
}
