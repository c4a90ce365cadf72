import { claimDependents, Conditions, ingestCondition, Labels, type Condition } from '@scantling/core'
import type { ObjectCache } from '../../cache/index.ts'
import type { KubeObject } from '../../kube/index.ts'
import { makeSeriesStore, type MetricFamily, type Series } from '../../observability/index.ts'
import type { ReconcilerContext } from '../context.ts'

type WireCondition = Parameters<typeof ingestCondition>[0]

interface Watched extends KubeObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly labels: Labels
    readonly deletionTimestamp?: string
    readonly resourceVersion: string
  }
  /** A class has none until it is resolved for the first time. */
  readonly status?: { readonly conditions?: ReadonlyArray<WireCondition> }
}

const conditionsOf = ({ status }: Watched): ReadonlyArray<WireCondition> => status?.conditions ?? none
const none: ReadonlyArray<WireCondition> = []

interface WatchedKind {
  readonly kind: string
  readonly apiVersion: string
  /** There is one for each machine, so that families with its name are detail. */
  readonly isPerMachine: boolean
  /** Labels of the objects that their metrics carry. */
  readonly labels: ReadonlyArray<string>
  /**
   * Conditions that are Unknown as long as nobody says otherwise, so that a first word on them is an event; absent: all.
   * What a kubelet says of a Node that joins is no change, nor is a mark that comes and goes.
   */
  readonly opening?: ReadonlySet<string>
  readonly cache: ObjectCache<Watched>
}

const buckets = Array.from({ length: 15 }, (_, index) => 0.5 * 2 ** index)
const sanitized = (key: string) => key.replaceAll(/[/.-]/g, '_')

/**
 * Tells of the conditions of claims, nodes, pools and classes: how long each has been as it is, each transition as a count and
 * as an event, and how long deletions take. M-STATUS-01.
 *
 * Names, labels and buckets are those of the reference's operator library, without its deprecated duplicates. Returns
 * what stops it.
 */
export const startConditionMetrics = (context: ReconcilerContext): (() => void) => {
  const { caches, providerModule } = context
  const classes = providerModule.nodeClasses.map(Labels.nodeClassLabelKey)
  const ofClaims = [...classes, 'karpenter.sh/nodepool']
  const kinds: ReadonlyArray<WatchedKind> = [
    {
      kind: 'NodeClaim',
      apiVersion: 'karpenter.sh/v1',
      isPerMachine: true,
      labels: ofClaims,
      opening: new Set([...claimDependents, 'Ready']),
      cache: caches.nodeClaims as never,
    },
    {
      kind: 'NodePool',
      apiVersion: 'karpenter.sh/v1',
      isPerMachine: false,
      labels: [],
      cache: caches.nodePools as never,
    },
    {
      kind: 'Node',
      apiVersion: 'v1',
      isPerMachine: true,
      labels: [...ofClaims, 'karpenter.sh/initialized'],
      opening: new Set(),
      cache: caches.nodes as never,
    },
    ...(caches.buffers === undefined
      ? []
      : [
          {
            kind: 'CapacityBuffer',
            apiVersion: caches.buffers.capacityBuffers.kind.apiVersion,
            isPerMachine: false,
            labels: [],
            cache: caches.buffers.capacityBuffers as never,
          },
        ]),
    ...providerModule.nodeClasses.flatMap(({ group, kind, versions }) => {
      const cache = caches.nodeClasses.get(`${group}/${kind}`)
      return cache === undefined
        ? []
        : [{ kind, apiVersion: `${group}/${versions[0].name}`, isPerMachine: false, labels: [], cache: cache as never }]
    }),
  ]
  const stops = kinds.map((kind) => follow(context, kind))
  return () => {
    for (const stop of stops) stop()
  }
}

const familiesOf = ({ kind, labels, isPerMachine }: WatchedKind) => {
  const extra = labels.map(sanitized)
  const prefix = `operator_${kind.toLowerCase()}`
  const family = (
    type: MetricFamily['type'],
    name: string,
    help: string,
    own: ReadonlyArray<string>,
  ): MetricFamily => ({
    type,
    name: `${prefix}_${name}`,
    help,
    labels: [...own, ...extra],
    ...(type === 'histogram' ? { buckets } : {}),
    ...(isPerMachine && own.includes('name') ? { perObject: true as const } : {}),
  })
  const one = ['namespace', 'name', 'type', 'status', 'reason']
  return {
    transitionSeconds: family(
      'histogram',
      'status_condition_transition_seconds',
      'How long a condition had its status',
      ['type', 'status'],
    ),
    transitions: family('counter', 'status_condition_transitions_total', 'Changes of the status of a condition', [
      'type',
      'status',
      'reason',
    ]),
    count: family('gauge', 'status_condition_count', 'Conditions as they are', one),
    currentSeconds: family('gauge', 'status_condition_current_status_seconds', 'How long a condition is as it is', one),
    terminationCurrent: family('gauge', 'termination_current_time_seconds', 'How long an object is being deleted', [
      'namespace',
      'name',
    ]),
    terminationSeconds: family('histogram', 'termination_duration_seconds', 'How long a deletion took', []),
  }
}

const follow = (context: ReconcilerContext, watched: WatchedKind): (() => void) => {
  const { metrics, clock, events } = context
  const { cache, kind, apiVersion } = watched
  const families = familiesOf(watched)
  const store = makeSeriesStore(metrics)
  const extraOf = ({ metadata }: Watched) =>
    Object.fromEntries(watched.labels.map((key) => [sanitized(key), Labels.get(metadata.labels, key) ?? '']))
  const on = ({ metadata: { name, namespace, uid } }: Watched) => ({
    apiVersion,
    kind,
    name,
    uid,
    ...(namespace === undefined ? {} : { namespace }),
  })
  const secondsSince = (ms: number) => Math.max(0, (clock.nowMs() - ms) / 1000)

  const transition = (object: Watched, before: Condition | undefined, now: Condition) => {
    const from = before?.status ?? 'Unknown'
    if (from === now.status) return
    const extra = extraOf(object)
    const { type, status, reason, message } = now
    metrics.add(families.transitions, { type, status, reason, ...extra })
    if (before !== undefined)
      metrics.observe(
        families.transitionSeconds,
        { type, status: from, ...extra },
        Math.max(0, (now.lastTransitionAtMs - before.lastTransitionAtMs) / 1000),
      )
    if (before === undefined && watched.opening?.has(type) === false) return
    const why = message === '' || message === reason ? reason : `${reason}, ${message}`
    events.record({ on: on(object), type: 'Normal', reason: type, message: `${type} is ${status}: ${why}`, dedupe: [] })
  }

  const stopListening = cache.onChange((change) => {
    if (change._tag === 'Deleted') {
      const { deletionTimestamp } = change.previous.metadata
      if (deletionTimestamp === undefined) return
      metrics.observe(
        families.terminationSeconds,
        extraOf(change.previous),
        secondsSince(Date.parse(deletionTimestamp)),
      )
      events.record({
        on: on(change.previous),
        type: 'Normal',
        reason: 'Finalized',
        message: `${kind} is gone`,
        dedupe: [],
      })
      return
    }
    if (change._tag !== 'Modified' || conditionsOf(change.previous) === conditionsOf(change.current)) return
    const before = conditionsOf(change.previous).map(ingestCondition)
    for (const now of conditionsOf(change.current).map(ingestCondition))
      transition(change.current, Conditions.find(before, now.type), now)
  })

  const seriesOf = (object: Watched): ReadonlyArray<Series> => {
    const { name, namespace = '', deletionTimestamp } = object.metadata
    const extra = extraOf(object)
    const ending: ReadonlyArray<Series> =
      deletionTimestamp === undefined
        ? []
        : [
            {
              family: families.terminationCurrent,
              labels: { namespace, name, ...extra },
              value: secondsSince(Date.parse(deletionTimestamp)),
            },
          ]
    return [
      ...ending,
      ...conditionsOf(object)
        .map(ingestCondition)
        .flatMap(({ type, status, reason, lastTransitionAtMs }) => {
          const labels = { namespace, name, type, status, reason, ...extra }
          return [
            { family: families.count, labels, value: 1 },
            { family: families.currentSeconds, labels, value: secondsSince(lastTransitionAtMs) },
          ]
        }),
    ]
  }
  const stopRendering =
    watched.isPerMachine && !metrics.hasDetail
      ? () => undefined
      : metrics.beforeRender(() => {
          const all = new Map<string, ReadonlyArray<Series>>()
          for (const object of cache.values()) all.set(object.metadata.uid, seriesOf(object))
          store.replaceAll(all)
        })
  return () => {
    stopListening()
    stopRendering()
    store.replaceAll(new Map())
  }
}
