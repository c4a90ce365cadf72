import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { isWrite, readAudit, type AuditEvent } from './audit.ts'
import { findControlPlane, findReference } from './binaries.ts'
import {
  cpuSeconds,
  mainThread,
  memoryMib,
  prepare,
  scrape,
  startContestant,
  userOf,
  valuesOf,
  type Contestant,
} from './contestant.ts'
import { bytesPerPod, countRunning, measureGrowth, renderGrowth } from './growth.ts'
import { deployment, nodeClass, nodePool, onDemand } from './manifests.ts'
import { isIsolated, isolationObstacle, runIsolated } from './namespace.ts'
import { startTestCluster } from './test-cluster.ts'
import { renderSpan, timelineOf, type Span } from './timeline.ts'

/*
 * `npm run bench:cluster`: our controller beside the reference's own, each on a fresh control plane, one Deployment from
 * nothing to all pods Running.
 *
 * - `--pods 500,1000`, `--only ours|reference`
 * - `--rounds N`: so often, the contestants taking turns in going first; promises are judged by medians.
 * - `--large`: ours alone with 5,000 pods on 500 nodes.
 * - `--growth [--pods 1000,10000]`: memory by further pods that run already.
 * - `--timeline`: when whom asked for what. `--audit FILE`: keep the audit logs, as FILE.<contestant>.<pods>.
 */
const root = resolve(import.meta.dirname, '../..')
const say = (line: string) => void process.stdout.write(`${line}\n`)
const { values } = parseArgs({
  options: {
    pods: { type: 'string' },
    only: { type: 'string' },
    large: { type: 'boolean', default: false },
    growth: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '1' },
    timeline: { type: 'boolean', default: false },
    audit: { type: 'string' },
  },
})

interface Load {
  readonly pods: number
  readonly requests: Readonly<Record<string, string>>
  readonly requirements: ReadonlyArray<object>
  readonly withinMs: number
}

interface Figures {
  readonly contestant: Contestant
  readonly pods: number
  readonly nodes: number
  readonly runningS: number
  readonly initializedS: number
  readonly reads: number
  readonly writes: number
  readonly events: number
  readonly watches: number
  readonly rssMib: number
  readonly peakRssMib: number
  readonly cpuS: number
  readonly series: number
  readonly loopDelayMs: number
  readonly missed: number
  /** Of the main thread: what it waited for a core, for each second that it had one. */
  readonly waitedPerS: number
  /** How often what was asked for, the most frequent first. */
  readonly asked: ReadonlyArray<readonly [string, number]>
  readonly timeline: ReadonlyArray<Span>
}

const cpusBelow = (limit: string) => ({ key: 'karpenter.kwok.sh/instance-cpu', operator: 'Lt', values: [limit] })
const cpusOf = (count: string) => ({ key: 'karpenter.kwok.sh/instance-cpu', operator: 'In', values: [count] })

const burst = (pods: number): Load => ({
  pods,
  requests: { cpu: '500m', memory: '512Mi' },
  requirements: [onDemand, cpusBelow('32')],
  withinMs: 300_000,
})

const countEveryMs = 2000

/** Ten pods to a node. */
const large: Load = {
  pods: 5000,
  requests: { cpu: '380m', memory: '128Mi' },
  requirements: [onDemand, cpusOf('4')],
  withinMs: 2_400_000,
}

const outside = async (): Promise<number> => {
  const obstacle = isolationObstacle()
  const plane = obstacle ?? (await findControlPlane(say))
  if (typeof plane === 'string') {
    say(`skipped: ${plane}`)
    return 0
  }
  const reference = values.only === 'ours' || values.large ? undefined : await findReference(say)
  if (typeof reference === 'string') say(`The reference's controller is left out: ${reference}`)
  const bundled = spawnSync(process.execPath, [...process.execArgv, join(root, 'deploy/bundle.ts'), 'kwok'], {
    cwd: root,
  })
  if (bundled.status !== 0) return 1
  return runIsolated(process.execPath, [...process.execArgv, import.meta.filename, ...process.argv.slice(2)], {
    env: {
      SCANTLING_CONTROL_PLANE: plane.binaries,
      SCANTLING_BUNDLE: join(root, 'dist/scantling-controller-kwok.mjs'),
      SCANTLING_E2E: 'bench',
      ...(typeof reference === 'object' ? { SCANTLING_REFERENCE: reference.binaries } : {}),
    },
  })
}

const inside = async (): Promise<number> => {
  const contestants = (['ours', 'reference'] as const).filter(
    (one) =>
      (values.only === undefined || values.only === one) &&
      (one === 'ours' || process.env['SCANTLING_REFERENCE'] !== undefined),
  )
  if (values.growth) return (await growth(contestants)) ? 0 : 1
  const rounds = Number(values.rounds)
  const loads = values.large ? [large] : (values.pods ?? '500,1000').split(',').map((count) => burst(Number(count)))
  const all: Array<Figures> = []
  for (const load of loads) {
    const taken: Array<Figures> = []
    for (let round = 0; round < rounds; round++)
      for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
        const figures = await run(contestant, load)
        taken.push(figures)
        say(render(figures))
      }
    for (const contestant of contestants) {
      const median = medianOf(taken.filter((figures) => figures.contestant === contestant))
      all.push(median)
      if (rounds > 1) say(`Median of ${rounds} rounds:\n${render({ ...median, asked: [], timeline: [] })}`)
    }
  }
  return judge(all) ? 0 : 1
}

const growth = async (contestants: ReadonlyArray<Contestant>): Promise<boolean> => {
  const [from = 0, to = 0] = (values.pods ?? '1000,10000').split(',').map(Number)
  const perPod = new Map<Contestant, number>()
  for (const contestant of contestants) {
    const measured = await measureGrowth(contestant, from, to)
    say(renderGrowth(measured))
    perPod.set(contestant, bytesPerPod(measured))
  }
  const [ours, theirs] = [perPod.get('ours'), perPod.get('reference')]
  if (ours === undefined || theirs === undefined) return true
  return told([[`from ${from} to ${to} pods: memory grows at most half as fast`, ours <= theirs / 2]])
}

/** Each figure's median; of what is no figure, the last round's. */
const medianOf = (rounds: ReadonlyArray<Figures>): Figures => {
  const last = rounds.at(-1)
  if (last === undefined) throw new Error('There was no round')
  const middle = (name: keyof Figures) => {
    const sorted = rounds.map((figures) => figures[name] as number).toSorted((a, b) => a - b)
    const at = (index: number) => sorted[index] ?? 0
    return (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2
  }
  const names = (Object.keys(last) as ReadonlyArray<keyof Figures>).filter((name) => typeof last[name] === 'number')
  return { ...last, ...Object.fromEntries(names.map((name) => [name, middle(name)])) }
}

const run = async (contestant: Contestant, load: Load): Promise<Figures> => {
  const cluster = await startTestCluster()
  try {
    await prepare(cluster, contestant)
    const controller = await startContestant(cluster, contestant)
    await cluster.api.apply(
      nodeClass,
      nodePool('default', {
        spec: { disruption: { consolidateAfter: 'Never' } },
        template: { requirements: load.requirements },
      }),
    )
    // What a controller does at its start is not what is measured.
    await new Promise((wake) => setTimeout(wake, 5000))
    const cpuBefore = cpuSeconds(controller.pid)
    const threadBefore = mainThread(controller.pid)
    const startedMs = performance.now()
    const startedAtMs = Date.now()
    const delays = contestant === 'ours' ? sampleLoopDelay(controller.metricsPort) : undefined
    await cluster.api.create(deployment('web', load.pods, { requests: load.requests }))
    let countAtMs = 0
    const ready = async () => {
      const { body } = await cluster.api.request('/apis/apps/v1/namespaces/default/deployments/web')
      if (((JSON.parse(body) as Ready).status?.readyReplicas ?? 0) === load.pods) return true
      // On a busy machine the ReplicaSet's controller reads what it wrote too late, and backs off for minutes with its count.
      if (performance.now() < countAtMs) return false
      countAtMs = performance.now() + countEveryMs
      return (await countRunning(cluster)) === load.pods
    }
    await cluster.until(`${load.pods} pods run`, ready, load.withinMs)
    const runningS = (performance.now() - startedMs) / 1000
    const isInitialized = async () =>
      (await cluster.nodes()).every(({ metadata }) => metadata.labels?.['karpenter.sh/initialized'] === 'true')
    await cluster.until('every node is initialized', isInitialized)
    const initializedS = (performance.now() - startedMs) / 1000
    // What follows a burst belongs to it: status writes, metrics, a first look at consolidation.
    await new Promise((wake) => setTimeout(wake, 15_000))
    const cpuS = cpuSeconds(controller.pid) - cpuBefore
    const thread = mainThread(controller.pid)
    const asked = readAudit(cluster.plane.auditLog, userOf(contestant)).filter(
      ({ objectRef }) => objectRef?.resource !== 'leases',
    )
    if (values.audit !== undefined) copyFileSync(cluster.plane.auditLog, `${values.audit}.${contestant}.${load.pods}`)
    const calls = asked.filter(({ verb, objectRef }) => verb !== 'watch' && objectRef?.resource !== 'events')
    const metrics = await scrape(controller.metricsPort)
    return {
      contestant,
      pods: load.pods,
      nodes: (await cluster.nodes()).length,
      runningS,
      initializedS,
      reads: calls.filter((event) => !isWrite(event)).length,
      writes: calls.filter(isWrite).length,
      events: asked.filter(({ objectRef }) => objectRef?.resource === 'events').length,
      watches: asked.filter(({ verb }) => verb === 'watch').length,
      rssMib: memoryMib(controller.pid, 'VmRSS'),
      peakRssMib: memoryMib(controller.pid, 'VmHWM'),
      cpuS,
      series: metrics.length,
      loopDelayMs: delays?.worstMs() ?? 0,
      missed: valuesOf(metrics, 'scantling_watch_missed_events').reduce((sum, value) => sum + value, 0),
      waitedPerS: (thread.waitedS - threadBefore.waitedS) / (thread.ranS - threadBefore.ranS),
      asked: countsOf(calls),
      timeline: values.timeline ? timelineOf(cluster.plane.auditLog, startedAtMs) : [],
    }
  } finally {
    await cluster.stop()
  }
}

/** The worst ten seconds' p99 since then: the controller reports it once in ten seconds, and forgets. */
const sampleLoopDelay = (port: number) => {
  let worstMs = 0
  const timer = setInterval(() => {
    void scrape(port).then(
      (metrics) => {
        const [seconds = 0] = valuesOf(metrics, 'scantling_event_loop_delay_seconds{quantile="0.99"}')
        worstMs = Math.max(worstMs, 1000 * seconds)
      },
      () => undefined,
    )
  }, 5000)
  return {
    worstMs: () => {
      clearInterval(timer)
      return worstMs
    },
  }
}

interface Ready {
  readonly status?: { readonly readyReplicas?: number }
}

const countsOf = (events: ReadonlyArray<AuditEvent>): ReadonlyArray<readonly [string, number]> => {
  const counts = new Map<string, number>()
  for (const { verb, objectRef, responseStatus } of events) {
    const failed = (responseStatus?.code ?? 0) >= 400 ? ` ${responseStatus?.code}` : ''
    const key = `${verb} ${objectRef?.resource ?? ''}${objectRef?.subresource === undefined ? '' : `/${objectRef.subresource}`}${failed}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)
}

const render = (figures: Figures): string => {
  const { contestant, pods, nodes, runningS, initializedS, reads, writes, events, watches } = figures
  return [
    `${contestant}, ${pods} pods: all Running after ${runningS.toFixed(1)} s, all of ${nodes} nodes initialized after ${initializedS.toFixed(1)} s`,
    `  requests ${reads + writes} (${reads} reads, ${writes} writes), events ${events}, watches ${watches}`,
    `  RSS ${figures.rssMib.toFixed(0)} MiB (peak ${figures.peakRssMib.toFixed(0)}), CPU ${figures.cpuS.toFixed(1)} s, ${figures.series} metric series`,
    ...(contestant === 'ours'
      ? [
          `  event loop p99 of the worst ten seconds ${figures.loopDelayMs.toFixed(0)} ms (for each second on a core its thread waited ${figures.waitedPerS.toFixed(1)} s for one), watch events missed ${figures.missed}`,
        ]
      : []),
    `  ${figures.asked.map(([what, count]) => `${what} ${count}`).join(', ')}`,
    ...figures.timeline.map(renderSpan),
  ].join('\n')
}

/** What issue and README promise; said one by one, and whether all hold. */
const judge = (all: ReadonlyArray<Figures>): boolean => {
  const verdicts: Array<readonly [string, boolean]> = []
  for (const ours of all.filter(({ contestant }) => contestant === 'ours')) {
    if (ours.pods >= large.pods) {
      verdicts.push(
        [`${ours.pods} pods: RSS at most 300 MB`, ours.peakRssMib * 1.048576 <= 300],
        [`${ours.pods} pods: event loop p99 at most 100 ms`, ours.loopDelayMs <= 100],
      )
    }
    verdicts.push([`${ours.pods} pods: no watch event missed`, ours.missed === 0])
    const theirs = all.find(({ contestant, pods }) => contestant === 'reference' && pods === ours.pods)
    if (theirs === undefined) continue
    const requests = ({ reads, writes }: Figures) => reads + writes
    verdicts.push(
      [`${ours.pods} pods: at least as fast to Running`, ours.runningS <= theirs.runningS],
      [`${ours.pods} pods: at most half the requests`, requests(ours) <= requests(theirs) / 2],
      [`${ours.pods} pods: at most twice the CPU seconds`, ours.cpuS <= 2 * theirs.cpuS],
      ...(ours.pods >= 1000
        ? [[`${ours.pods} pods: at most twice the RSS`, ours.rssMib <= 2 * theirs.rssMib] as const]
        : []),
    )
  }
  return told(verdicts)
}

const told = (verdicts: ReadonlyArray<readonly [string, boolean]>): boolean => {
  for (const [what, holds] of verdicts) say(`${holds ? 'holds' : 'FAILS'}: ${what}`)
  return verdicts.every(([, holds]) => holds)
}

process.exitCode = isIsolated() ? await inside() : await outside()
