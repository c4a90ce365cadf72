import * as E from 'fp-ts/lib/Either.js'
import { overlayCondition, type NodeOverlayObject, type OverlayVerdict } from '@scantling/core'
import type { Batcher } from '../../batcher/index.ts'
import type { ObjectCache } from '../../cache/index.ts'
import type { ReconcileError, Reconciler, RunningReconciler } from '../../queue/index.ts'
import type { OverlayCell } from '../../state/index.ts'
import { writeConditions } from '../condition-writes.ts'
import type { ReconcilerContext } from '../context.ts'

const everythingKey = 'all'
// Types change without an event of the cluster: prices, new machines (P-OVC-01).
const repeatMs = 6 * 3_600_000

/**
 * Says of each NodeOverlay whether it is in force. P-OVC-01, P-OVC-05…07, P-OVA-06.
 *
 * One overlay's verdict hangs on all others, on every NodePool and its types, so all are judged together. Planners do
 * not wait for this: they lay overlays over the types whenever they read them.
 */
export const nodeOverlays = (
  context: ReconcilerContext,
  overlays: ObjectCache<NodeOverlayObject>,
  cell: OverlayCell,
  batcher: Batcher,
): Reconciler => {
  let told = ''
  return {
    name: 'nodeoverlay',
    concurrency: 1,
    reconcile: () => async () => {
      const call = { signal: context.shutdown, cluster: context.clusterFacts() }
      const failures: Array<string> = []
      await context.types.ofNodePools(context.state.nodePools(), call, ({ name }, error) => {
        failures.push(`${name}: ${error.message}`)
      })
      const verdicts = cell.verdicts()
      let failure: ReconcileError | undefined
      for (const object of overlays.values()) {
        const verdict = verdicts.get(object.metadata.name)
        if (verdict === undefined) continue
        const change = overlayCondition(verdict)
        const written = await writeConditions(context, overlays, object, [change], {
          dependents: ['ValidationSucceeded'],
        })
        if (E.isLeft(written) && written.left._tag !== 'NotFound') failure = written.left
      }
      // Pods that found nothing they could afford may find it now.
      const saying = sayingOf(overlays, verdicts)
      if (saying !== told) batcher.trigger('nodeoverlays')
      told = saying
      if (failure !== undefined) return E.left(failure)
      if (failures.length > 0)
        return E.left({
          _tag: 'InstanceTypesUnavailable',
          message: `Cannot evaluate NodeOverlays for some NodePools: ${failures.join('; ')}`,
        })
      return E.right({ requeueAfterMs: repeatMs })
    },
  }
}

const sayingOf = (overlays: ObjectCache<NodeOverlayObject>, verdicts: ReadonlyMap<string, OverlayVerdict>): string =>
  [...overlays.values()]
    .map(({ metadata }) => `${metadata.name}/${metadata.generation}/${verdicts.get(metadata.name)?._tag}`)
    .join()

/** Judges again whenever an overlay, a NodePool or a NodeClass changes in what it asks. Returns what stops that. */
export const watchOverlays = (
  { caches }: ReconcilerContext,
  overlays: ObjectCache<NodeOverlayObject>,
  { queue }: RunningReconciler,
): (() => void) => {
  const wake = () => queue.add(everythingKey)
  const stops = [overlays, caches.nodePools, ...caches.nodeClasses.values()].map((cache) =>
    (cache as ObjectCache<NodeOverlayObject>).onChange((change) => {
      if (change._tag !== 'Modified' || change.previous.metadata.generation !== change.current.metadata.generation)
        wake()
    }),
  )
  wake()
  return () => {
    for (const stop of stops) stop()
  }
}
