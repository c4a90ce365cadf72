/** What keeps the cluster as NodePools ask: a room for each kind of object, a file for each controller, named as the reference names them. */
import {
  coreLabelKnowledge,
  defaultFeatureGates,
  isProvisionable,
  Labels,
  type LabelRules,
  type NodePoolObject,
  type PlanningSettings,
} from '@scantling/core'
import { makeBatcher } from '../batcher/index.ts'
import { rememberInstanceIds } from '../provider-host/index.ts'
import { makeTurns, runReconciler, type Reconciler, type RunningReconciler } from '../queue/index.ts'
import type { ControllerDeps, RunningReconcilers } from '../runtime/index.ts'
import {
  makeAnnouncedCell,
  makeClusterState,
  makeCommandCell,
  makeDomainViews,
  makeInstanceTypeCell,
  makeLearnedMemoryCell,
  makeRegistrationCell,
  makeShortageCell,
} from '../state/index.ts'
import {
  claimConditions,
  nodeClaimConsistency,
  nodeClaimExpiration,
  nodeClaimHydration,
  nodeClaimLifecycle,
  podEvents,
  runGarbageCollection,
  watchPodEvents,
} from './nodeclaims/index.ts'
import { runClockWatch, runMaintenance, watchRivals } from './watches/index.ts'
import {
  runClusterMetrics,
  runInstanceTypeMetrics,
  startConditionMetrics,
  startNodeMetrics,
  startPodMetrics,
} from './metrics/index.ts'
import type { ReconcilerContext } from './context.ts'
import { runDisruption } from './disruption/index.ts'
import { nodeTermination, runInterruptions, runSimulatedKubelet, startEvictions, wakeOnPods } from './nodes/index.ts'
import { makeFeatureCells, startGatedFeatures } from './gated-features.ts'
import {
  makeNodeClasses,
  nodeClassStatus,
  nodePoolStatus,
  runNodePoolCosts,
  watchRegistrations,
} from './nodepools/index.ts'
import { claimsOfNode } from './claim-nodes.ts'
import { runProvisioner, triggerOnPods } from './provisioning/index.ts'

/**
 * Starts every reconciler on caches that are synced. They stop when `deps.shutdown` aborts.
 *
 * Tasks of the provider that gate readiness come first: nothing else of it is called before they have succeeded.
 */
export const startReconcilers = (deps: ControllerDeps): RunningReconcilers => {
  const context = makeContext(deps)
  const maintenance = runMaintenance(context)
  let begun: { readonly stopped: () => Promise<void> } | undefined
  const begin = () => {
    if (!context.shutdown.aborted) begun = startAll(context)
  }
  const isGated = maintenance.waiting().length > 0
  const beginning = isGated ? maintenance.ready.then(begin) : Promise.resolve(begin())
  return {
    waiting: maintenance.waiting,
    takeSnapshot: () => takeSnapshot(context),
    stopped: async () => {
      await beginning
      await Promise.all([maintenance.stopped(), begun?.stopped()])
    },
  }
}

// Every node that joins changes its NodePool's status, of which nothing in its claims hangs: looking at each claim for
// each node would be O(nodes²).
const isOfStatus = (previous: NodePoolObject, current: NodePoolObject): boolean =>
  previous.metadata.generation === current.metadata.generation &&
  previous.metadata.deletionTimestamp === current.metadata.deletionTimestamp &&
  JSON.stringify(previous.metadata.annotations) === JSON.stringify(current.metadata.annotations)

/** What the provisioner would plan from now. */
const takeSnapshot = async ({ state, types, shutdown, clusterFacts, features }: ReconcilerContext) => {
  const call = { signal: shutdown, cluster: clusterFacts() }
  const instanceTypes = await types.ofNodePools(state.nodePools(), call, () => undefined)
  await features.spread?.prepare(state.podsOn('').filter(isProvisionable))
  return state.snapshot(instanceTypes)
}

const startAll = (context: ReconcilerContext): { readonly stopped: () => Promise<void> } => {
  const { caches, clock, shutdown, providerModule, settings } = context
  const stops: Array<() => void> = []
  const running: Array<{ readonly stopped: () => Promise<void> }> = []
  const loops: Array<Promise<void>> = []
  const start = (reconciler: Reconciler): RunningReconciler => {
    const started = runReconciler(reconciler, context)
    running.push(started)
    return started
  }

  const evictions = startEvictions(context)
  running.push(evictions)
  const lifecycle = start(nodeClaimLifecycle(context)).queue
  const conditions = start(claimConditions(context)).queue
  const events = start(podEvents(context)).queue
  const ofClaims = [
    lifecycle,
    conditions,
    ...[nodeClaimExpiration, nodeClaimConsistency, nodeClaimHydration].map((make) => start(make(context)).queue),
  ]
  const termination = start(nodeTermination(context, evictions)).queue
  const registrations = makeRegistrationCell()
  const pools = start(nodePoolStatus(context, registrations)).queue
  const classes = new Map(
    providerModule.nodeClasses.map((kind) => [
      `${kind.group}/${kind.kind}`,
      start(nodeClassStatus(context, kind)).queue,
    ]),
  )

  for (const [kind, cache] of caches.nodeClasses) {
    const queue = classes.get(kind)
    for (const { metadata } of cache.values()) queue?.add(metadata.name)
    stops.push(
      cache.onChange(({ key }) => {
        queue?.add(key)
        for (const { metadata } of caches.nodePools.by('byNodeClass', `${kind}/${key}`)) pools.add(metadata.name)
        for (const { metadata } of caches.nodeClaims.by('byNodeClass', `${kind}/${key}`)) conditions.add(metadata.name)
      }),
    )
  }
  for (const { metadata } of caches.nodePools.values()) pools.add(metadata.name)
  stops.push(
    caches.nodePools.onChange((change) => {
      pools.add(change.key)
      const object = change._tag === 'Deleted' ? change.previous : change.current
      const { group, kind, name } = object.spec.template.spec.nodeClassRef
      classes.get(`${group}/${kind}`)?.add(name)
      if (change._tag === 'Modified' && isOfStatus(change.previous, change.current)) return
      // `consolidateAfter` may have changed, and the claims' clocks with it.
      for (const { metadata } of caches.nodeClaims.by('byNodePool', change.key)) conditions.add(metadata.name)
    }),
  )
  for (const { metadata } of caches.nodeClaims.values()) {
    for (const queue of ofClaims) queue.add(metadata.name)
  }
  stops.push(
    caches.nodeClaims.onChange((change) => {
      for (const queue of ofClaims) queue.add(change.key)
      // A Node may wait for its claim to go, and a class for its last claim.
      if (change._tag !== 'Added' && change.previous.status.nodeName !== undefined)
        termination.add(change.previous.status.nodeName)
      if (change._tag === 'Deleted') {
        const { group, kind, name } = change.previous.spec.nodeClassRef
        classes.get(`${group}/${kind}`)?.add(name)
      }
    }),
  )
  for (const { metadata } of caches.nodes.values()) termination.add(metadata.name)
  stops.push(
    caches.nodes.onChange((change) => {
      termination.add(change.key)
      const object = change._tag === 'Deleted' ? change.previous : change.current
      for (const claim of claimsOfNode(context, object.spec.providerID)) lifecycle.add(claim)
    }),
    watchPodEvents(context, events),
    wakeOnPods(context, termination),
    watchRivals(context),
  )

  const batcher = makeBatcher({ clock, idleMs: settings.batchIdleDurationMs, maxMs: settings.batchMaxDurationMs })
  stops.push(
    triggerOnPods(context, batcher),
    ...startGatedFeatures(context, batcher, start),
    watchRegistrations(context, registrations, pools),
    ...(settings.disableClusterStateObservability
      ? []
      : [startConditionMetrics(context), startNodeMetrics(context), startPodMetrics(context)]),
  )
  loops.push(
    runClusterMetrics(context),
    runClockWatch(context),
    runProvisioner(context, batcher),
    runDisruption(context),
    runGarbageCollection(context),
    runNodePoolCosts(context),
    runInterruptions(context),
  )
  if (!settings.disableClusterStateObservability) loops.push(runInstanceTypeMetrics(context))
  if (providerModule.traits?.kubelet === 'simulated') loops.push(runSimulatedKubelet(context))

  shutdown.addEventListener('abort', () => {
    for (const stop of stops) stop()
  })
  return {
    stopped: async () => {
      await Promise.all([...loops, ...running.map(({ stopped }) => stopped())])
    },
  }
}

/** The cells that reconcilers share, on caches that are synced. */
export const makeContext = (deps: ControllerDeps): ReconcilerContext => {
  const { caches, clock, providerModule, settings } = deps
  const { provider, ids } = rememberInstanceIds(deps.provider)
  const nodeClasses = makeNodeClasses(caches, providerModule.nodeClasses)
  const labelRules = labelRulesOf(deps)
  const views = makeDomainViews(nodeClasses.isManaged)
  const planningSettings = planningSettingsOf(deps)
  const features = makeFeatureCells(deps, views, labelRules, planningSettings)
  const state = makeClusterState({
    clock,
    caches,
    views,
    supportsNodeClass: nodeClasses.isManaged,
    labelRules,
    settings: planningSettings,
    features,
    batchMaxDurationMs: settings.batchMaxDurationMs,
  })
  // Templates of claims say the name of the NodeClass; types that denied it would meet none of them.
  const ofTemplates = new Set(providerModule.nodeClasses.map(Labels.nodeClassLabelKey))
  const wellKnown = new Set([...labelRules.knowledge.wellKnown].filter((key) => !ofTemplates.has(key)))
  const types = makeInstanceTypeCell({
    provider,
    clock,
    wellKnown,
    nodeClassOf: nodeClasses.get,
    learnedMemory: makeLearnedMemoryCell(caches, clock),
    ...features,
  })
  return {
    ...deps,
    provider,
    views,
    state,
    commands: makeCommandCell(),
    announced: makeAnnouncedCell(clock),
    types,
    shortages: makeShortageCell(clock),
    nodeClasses,
    features,
    labelPolicy: labelPolicyOf(deps),
    instanceIds: ids,
    claimTurns: makeTurns(),
    ownClaims: new Set(),
  }
}

// What a catalogue defines at run time is narrower than what the module could ever define.
const labelPolicyOf = ({ provider, providerModule }: ControllerDeps) => provider.labels ?? providerModule.labels

const labelRulesOf = (deps: ControllerDeps): LabelRules => {
  const policy = labelPolicyOf(deps)
  const { unsupportedTopologyKeys = [], unsupportedProvisioners = [] } = deps.providerModule.traits ?? {}
  return {
    knowledge: policy === undefined ? coreLabelKnowledge : Labels.extend(coreLabelKnowledge, policy),
    ...(policy?.reservation === undefined ? {} : { reservation: policy.reservation }),
    unsupportedTopologyKeys: new Set(unsupportedTopologyKeys),
    unsupportedProvisioners: new Set(unsupportedProvisioners),
  }
}

const planningSettingsOf = ({ settings }: ControllerDeps): PlanningSettings => ({
  preferencePolicy: settings.preferencePolicy,
  minValuesPolicy: settings.minValuesPolicy,
  featureGates: { ...defaultFeatureGates, ...settings.featureGates },
  defaultTopologySpread: settings.schedulerConfig,
})
