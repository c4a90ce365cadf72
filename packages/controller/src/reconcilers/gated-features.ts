import type { PlanningSettings } from '@scantling/core'
import type { Batcher } from '../batcher/index.ts'
import type { Reconciler, RunningReconciler } from '../queue/index.ts'
import type { ControllerDeps } from '../runtime/index.ts'
import {
  makeBufferCell,
  makeOverlayCell,
  makeSpreadCell,
  type ClusterStateOptions,
  type DomainViews,
} from '../state/index.ts'
import { capacityBuffers, watchBuffers } from './provisioning/index.ts'
import type { FeatureCells, ReconcilerContext } from './context.ts'
import {
  nodeOverlays,
  staticDeprovisioning,
  staticProvisioning,
  watchOverlays,
  watchStaticPools,
} from './nodepools/index.ts'
import { nodeRepair, repairPolicies, watchConditions } from './nodes/index.ts'

/** The cells of the features that are on: those whose kinds the caches follow. */
export const makeFeatureCells = (
  { caches, kube, log }: ControllerDeps,
  views: DomainViews,
  labelRules: ClusterStateOptions['labelRules'],
  settings: PlanningSettings,
): FeatureCells => ({
  ...(caches.nodeOverlays === undefined
    ? {}
    : {
        overlays: makeOverlayCell({
          overlays: caches.nodeOverlays,
          nodePools: () => [...caches.nodePools.values()].map(views.nodePool),
          labelRules,
        }),
      }),
  ...(caches.buffers === undefined ? {} : { buffers: makeBufferCell(caches.buffers.capacityBuffers) }),
  ...(caches.services === undefined
    ? {}
    : {
        spread: makeSpreadCell({
          defaults: settings.defaultTopologySpread,
          services: caches.services,
          kube,
          onFailure: ({ kind, name }, reason) =>
            log.warn('Cannot read the selector of a controller, its pods go without the default spread', {
              kind,
              name,
              error: reason,
            }),
        }),
      }),
})

/** Starts the reconcilers of the features that are on. Returns what stops their listening. */
export const startGatedFeatures = (
  context: ReconcilerContext,
  batcher: Batcher,
  start: (reconciler: Reconciler) => RunningReconciler,
): ReadonlyArray<() => void> => {
  const { caches, features, settings } = context
  const stops: Array<() => void> = []
  if (caches.nodeOverlays !== undefined && features.overlays !== undefined) {
    const reconciler = nodeOverlays(context, caches.nodeOverlays, features.overlays, batcher)
    stops.push(watchOverlays(context, caches.nodeOverlays, start(reconciler)))
  }
  if (caches.buffers !== undefined && features.buffers !== undefined) {
    const reconciler = capacityBuffers(context, caches.buffers, features.buffers, batcher)
    stops.push(watchBuffers(caches.buffers, start(reconciler)))
  }
  const policies = repairPolicies(context)
  if (policies.length > 0) stops.push(watchConditions(context, start(nodeRepair(context, policies))))
  if (settings.featureGates.staticCapacity) {
    stops.push(watchStaticPools(context, [start(staticProvisioning(context)), start(staticDeprovisioning(context))]))
  }
  return stops
}
