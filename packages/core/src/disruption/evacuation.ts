import type { Pod, Snapshot } from '../cluster/index.ts'
import { runOf, type Run, type Steps } from '../internal/index.ts'
import type { Launch } from '../scheduling/index.ts'
import { Pass, type PassOptions } from './pass.ts'

/** What the pods of a node need that goes, whatever it costs. */
export interface Evacuation {
  /** New nodes for its pods; those that only pods wait for that have no node yet are left to provisioning. */
  readonly replacements: ReadonlyArray<Launch>
  /** Pods that no NodePool has a place for, or none that is sure. */
  readonly homeless: ReadonlyArray<Pod>
}

export interface EvacuationOptions extends PassOptions {
  /** `during`: the node and its replacements are up side by side within the limits. `after`: only what stays counts. */
  readonly limits: 'during' | 'after'
}

/**
 * What to launch before a node goes, because its machine is lost or its time is up.
 *
 * `undefined` where nothing can be said: no NodePool takes pods, or the node is not there or on its way out already.
 *
 * Cost: loading the cluster and one simulation.
 *
 * @example
 * import { managedNode, runningPod, sceneOf } from '@scantling/core/testing'
 * const snapshot = sceneOf({ nodes: [managedNode('node-1', { pods: [runningPod('web-0', { cpu: '1' })] })] })
 * const run = startEvacuation(snapshot, 'node-1', { strategy: 'first-fit', limits: 'after' })
 * run.finish()?.replacements.length // => 1
 */
export const startEvacuation = (
  snapshot: Snapshot,
  node: string,
  options: EvacuationOptions,
): Run<Evacuation | undefined> => runOf(evacuate(new Pass(snapshot, options), node, options.limits))

function* evacuate(pass: Pass, node: string, limits: 'during' | 'after'): Steps<Evacuation | undefined> {
  const state = pass.snapshot.nodes.find(({ name }) => name === node)
  if (state === undefined || state.isMarkedForDeletion) return undefined
  const simulation = yield* pass.without([node], { keepsRestingNodes: false, limits })
  if (simulation === undefined) return undefined
  const own = new Set(state.pods.map(({ uid }) => uid))
  return {
    replacements: simulation.launches
      .map(({ launch, offer }) => launch(offer))
      .filter(({ pods }) => pods.some(({ uid }) => own.has(uid))),
    homeless: simulation.homeless.map(({ pod }) => pod).filter(({ uid }) => own.has(uid)),
  }
}
