import { createHash } from 'node:crypto'
import { seededFraction, type CatalogEntry } from '@scantling/provider-kwok'
import {
  accountOf,
  countDisruptions,
  countMoves,
  limitsKept,
  noDoubleLaunch,
  nodeBudgetsKept,
  noReplacementCycle,
  podBudgetsKept,
  traceOf,
  watchWorld,
  type CostAccount,
} from '../checkers/index.ts'
import { kinds, startVirtualCluster } from '../cluster/index.ts'
import type { LoadCurve } from './load-curve.ts'
import { applyManifests, type Manifest } from './manifests.ts'
import { pruneCatalog } from './prune-catalog.ts'

export interface ReplayOptions {
  readonly manifests: ReadonlyArray<Manifest>
  readonly curve: LoadCurve
  readonly days: number
  readonly seed: string
  readonly catalog: ReadonlyArray<CatalogEntry>
  /** How often Deployments are scaled to what the curve says. Default: every hour. */
  readonly stepMs?: number
  /** How late the controller's longer timers may be, and how often the checkers look. Default: ten minutes. */
  readonly slackMs?: number
  /** Told at the end of every day. */
  readonly onDay?: (day: ReplayDay) => void
}

/** A replay after so many days. */
export interface ReplayDay {
  readonly day: number
  readonly nodes: number
  readonly pods: number
  readonly paid: number
  readonly evictions: number
}

/** What a replay came to. */
export interface ReplayOutcome {
  readonly days: number
  readonly cost: CostAccount
  readonly launches: number
  readonly peakNodes: number
  readonly peakPods: number
  readonly evictions: number
  readonly disruptions: Readonly<Record<string, number>>
  readonly movedTwiceWithinAnHour: number
  readonly replacementCycles: number
  /** Pods without a node at the end. */
  readonly pending: number
  /** What a checker found that must not be; empty is right. */
  readonly violations: ReadonlyArray<string>
  /** Errors that the controller logged. */
  readonly errors: ReadonlyArray<string>
  /** Equal for equal options: of every effect and every change, in order. */
  readonly trace: string
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const defaultStepMs = hourMs
const defaultSlackMs = 10 * 60_000
// Apps do not all follow the curve to the pod: each is up to so much off, by the day.
const jitter = 0.04

/**
 * Replays a load curve: Deployments are scaled over days of virtual time, and the controller keeps the fleet to it.
 *
 * Heartbeats are rarer than in life and the controller's longer timers late by up to `slackMs`, which is what lets a month
 * of 200 nodes pass in minutes. Equal options give equal outcomes.
 */
export const replay = async (options: ReplayOptions): Promise<ReplayOutcome> => {
  const { manifests, curve, days, seed, catalog, stepMs = defaultStepMs, slackMs = defaultSlackMs } = options
  const number = Math.floor(seededFraction(seed) * 2 ** 31)
  const cluster = await startVirtualCluster({
    cloud: { catalog: pruneCatalog(catalog, manifests), seed },
    slack: { exactBelowMs: 5000, gridMs: slackMs },
    server: { seed: number, historyLimit: 500 },
    controllers: {
      seed: number,
      events: false,
      kubelet: { leasePeriodMs: hourMs, statusPeriodMs: 6 * hourMs },
      nodeLifecycle: { periodMs: 600_000, gracePeriodMs: 3 * hourMs, startupGracePeriodMs: 3 * hourMs },
      podGarbage: { periodMs: 600_000, quarantineMs: 600_000 },
    },
  })
  const cycles = noReplacementCycle()
  const moves = countMoves()
  const disruptions = countDisruptions()
  const trace = traceOf(createHash('sha256'))
  const watching = watchWorld(cluster, [
    noDoubleLaunch(),
    nodeBudgetsKept(),
    podBudgetsKept(() => false),
    limitsKept(),
    cycles,
    moves,
    disruptions,
    trace,
  ])
  try {
    const run = await cluster.startController((effect) => {
      watching.see(effect)
      return 'pass'
    })
    const full = deploymentsOf(manifests)
    await applyManifests(
      cluster,
      manifests.map((manifest) => atLoad(manifest, replicasAt(full, curve, seed, 0))),
    )
    let peakNodes = 0
    let peakPods = 0
    const { world } = watching
    for (let sinceMs = 0; sinceMs < days * dayMs; sinceMs += stepMs) {
      if (sinceMs > 0)
        await scaleAll(
          cluster,
          full,
          replicasAt(full, curve, seed, sinceMs),
          replicasAt(full, curve, seed, sinceMs - stepMs),
        )
      for (let leftMs = stepMs; leftMs > 0; leftMs -= slackMs) {
        await cluster.clock.advance(Math.min(leftMs, slackMs))
        watching.look()
      }
      const nodes = count(world.nodes())
      const pods = count(world.pods())
      peakNodes = Math.max(peakNodes, nodes)
      peakPods = Math.max(peakPods, pods)
      if ((sinceMs + stepMs) % dayMs === 0)
        options.onDay?.({
          day: (sinceMs + stepMs) / dayMs,
          nodes,
          pods,
          paid: cluster.cloud.bill().total,
          evictions: moves.evictions(),
        })
    }
    const bill = cluster.cloud.bill()
    return {
      days,
      cost: accountOf(bill, catalog),
      launches: bill.lines.length,
      peakNodes,
      peakPods,
      evictions: moves.evictions(),
      disruptions: Object.fromEntries([...disruptions.byReason()].sort(([a], [b]) => (a < b ? -1 : 1))),
      movedTwiceWithinAnHour: moves.movedTwice(),
      replacementCycles: cycles.cycles(),
      pending: [...world.pods()].filter(({ spec }) => spec.nodeName === undefined).length,
      violations: watching.violations(),
      errors: [...new Set(run.errors)].slice(0, 20),
      trace: trace.digest(),
    }
  } finally {
    watching.stop()
    await cluster.stop()
  }
}

const count = (items: Iterable<unknown>): number => [...items].length

interface FullLoad {
  readonly name: string
  readonly namespace: string
  readonly replicas: number
}

const keyOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`

const deploymentsOf = (manifests: ReadonlyArray<Manifest>): ReadonlyArray<FullLoad> =>
  manifests
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ metadata, ...manifest }) => ({
      name: metadata.name,
      namespace: metadata.namespace ?? 'default',
      replicas: (manifest as { readonly spec?: { readonly replicas?: number } }).spec?.replicas ?? 1,
    }))

const replicasAt = (
  full: ReadonlyArray<FullLoad>,
  curve: LoadCurve,
  seed: string,
  sinceMs: number,
): ReadonlyMap<string, number> => {
  const load = curve.at(sinceMs)
  const day = String(Math.floor(sinceMs / dayMs))
  return new Map(
    full.map((one) => {
      const off = 1 + (seededFraction(seed, keyOf(one), day) * 2 - 1) * jitter
      return [keyOf(one), Math.max(0, Math.round(one.replicas * load * off))]
    }),
  )
}

const atLoad = (manifest: Manifest, replicas: ReadonlyMap<string, number>): Manifest => {
  if (manifest.kind !== 'Deployment') return manifest
  const { name, namespace = 'default' } = manifest.metadata
  const { spec } = manifest as { readonly spec?: object }
  return { ...manifest, spec: { ...spec, replicas: replicas.get(`${namespace}/${name}`) ?? 1 } }
}

const scaleAll = async (
  { face }: Awaited<ReturnType<typeof startVirtualCluster>>,
  full: ReadonlyArray<FullLoad>,
  wanted: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): Promise<void> => {
  for (const one of full) {
    const replicas = wanted.get(keyOf(one))
    if (replicas === before.get(keyOf(one))) continue
    const { namespace, name } = one
    await face.patch({ ...kinds.deployments, namespace, name }, 'merge', { spec: { replicas } })
  }
}
