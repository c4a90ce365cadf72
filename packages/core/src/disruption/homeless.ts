import { podKey } from '../cluster/index.ts'
import { invariant } from '../internal/index.ts'
import type { Simulation } from '../scheduling/index.ts'
import type { BlockedReason } from './plan.ts'

const mostNamed = 5

/** Why a simulation that leaves pods without a place settles the matter (D-SIM-07, D-SIM-08). */
export const homelessReason = ({ homeless }: Simulation): BlockedReason => {
  const stranded = homeless.filter(({ uninitializedNode }) => uninitializedNode === undefined)
  const [first, ...rest] = stranded.slice(0, mostNamed).map(({ pod }) => podKey(pod))
  if (first !== undefined) return { _tag: 'PodsWithoutPlace', pods: [first, ...rest], total: stranded.length }
  const [waiting] = homeless
  invariant(waiting?.uninitializedNode !== undefined, 'a pod without a place')
  return { _tag: 'NeedsUninitializedNode', pod: podKey(waiting.pod), node: waiting.uninitializedNode }
}
