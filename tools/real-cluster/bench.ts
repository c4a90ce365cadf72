import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { isWrite, readAudit, type AuditEvent } from './audit.ts'
import { findControlPlane, findReference } from './binaries.ts'
import type { Child } from './child.ts'
import { deployment, nodeClass, nodePool, onDemand } from './manifests.ts'
import { isIsolated, isolationObstacle, runIsolated } from './namespace.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'
import { renderSpan, timelineOf, type Span } from './timeline.ts'

/*
 * `npm run bench:cluster [-- --pods 500,1000] [--only ours|reference] [--large]`: our controller beside the
 * reference's own, each on a fresh control plane, one Deployment from nothing to all pods Running. `--large`: ours alone
 * with 5,000 pods on 500 nodes.
 */
const root = resolve(import.meta.dirname, '../..')
const say = (line: string) => void process.stdout.write(`${line}\n`)
const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '500,1000' },
    only: { type: 'string' },
    large: { type: 'boolean', default: false },
    timeline: { type: 'boolean', default: false },
  },
})

type Contestant = 'ours' | 'reference'

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
  /** How often what was asked for, the most frequent first. */
  readonly asked: ReadonlyArray<readonly [string, number]>
  readonly timeline: ReadonlyArray<Span>
}

const namespace = 'karpenter'
const cpusBelow = (limit: string) => ({ key: 'karpenter.kwok.sh/instance-cpu', operator: 'Lt', values: [limit] })
const cpusOf = (count: string) => ({ key: 'karpenter.kwok.sh/instance-cpu', operator: 'In', values: [count] })

const burst = (pods: number): Load => ({
  pods,
  requests: { cpu: '500m', memory: '512Mi' },
  requirements: [onDemand, cpusBelow('32')],
  withinMs: 300_000,
})

/** Ten pods to a node. */
const large: Load = {
  pods: 5000,
  requests: { cpu: '380m', memory: '128Mi' },
  requirements: [onDemand, cpusOf('4')],
  withinMs: 900_000,
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
  const loads = values.large ? [large] : values.pods.split(',').map((count) => burst(Number(count)))
  const contestants: ReadonlyArray<Contestant> =
    process.env['SCANTLING_REFERENCE'] === undefined ? ['ours'] : ['ours', 'reference']
  const all: Array<Figures> = []
  for (const load of loads)
    for (const contestant of contestants.filter((one) => values.only === undefined || values.only === one)) {
      const figures = await run(contestant, load)
      all.push(figures)
      say(render(figures))
    }
  return judge(all) ? 0 : 1
}

const run = async (contestant: Contestant, load: Load): Promise<Figures> => {
  const cluster = await startTestCluster()
  try {
    await prepare(cluster, contestant)
    const controller = await start(cluster, contestant)
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
    const startedMs = performance.now()
    const startedAtMs = Date.now()
    await cluster.api.create(deployment('web', load.pods, { requests: load.requests }))
    const ready = async () =>
      ((JSON.parse((await cluster.api.request('/apis/apps/v1/namespaces/default/deployments/web')).body) as Ready)
        .status?.readyReplicas ?? 0) === load.pods
    await cluster.until(`${load.pods} pods run`, ready, load.withinMs)
    const runningS = (performance.now() - startedMs) / 1000
    const isInitialized = async () =>
      (await cluster.nodes()).every(({ metadata }) => metadata.labels?.['karpenter.sh/initialized'] === 'true')
    await cluster.until('every node is initialized', isInitialized)
    const initializedS = (performance.now() - startedMs) / 1000
    // What follows a burst belongs to it: status writes, metrics, a first look at consolidation.
    await new Promise((wake) => setTimeout(wake, 15_000))
    const cpuS = cpuSeconds(controller.pid) - cpuBefore
    const asked = readAudit(cluster.plane.auditLog, userOf(contestant)).filter(
      ({ objectRef }) => objectRef?.resource !== 'leases',
    )
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
      loopDelayMs: 1000 * Math.max(0, ...valuesOf(metrics, 'scantling_event_loop_delay_seconds{quantile="0.99"}')),
      missed: valuesOf(metrics, 'scantling_watch_missed_events').reduce((sum, value) => sum + value, 0),
      asked: countsOf(calls),
      timeline: values.timeline ? timelineOf(cluster.plane.auditLog, startedAtMs) : [],
    }
  } finally {
    await cluster.stop()
  }
}

interface Ready {
  readonly status?: { readonly readyReplicas?: number }
}

const userOf = (contestant: Contestant) => `system:serviceaccount:${namespace}:${contestant}`

/** An identity of its own, by which the audit log knows it; no right is missing. */
const prepare = (cluster: TestCluster, contestant: Contestant): Promise<void> =>
  cluster.api.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: contestant, namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: contestant },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: contestant, namespace }],
    },
  )

const start = async (
  cluster: TestCluster,
  contestant: Contestant,
): Promise<Pick<Child, 'pid'> & { readonly metricsPort: number }> => {
  const kubeconfig = await cluster.kubeconfigOf(namespace, contestant)
  if (contestant === 'ours')
    return cluster.startController('ours', {
      kubeconfig,
      flags: [
        '--leader-elect=false',
        '--instance-types-file-path=kwok',
        // The reference's machines join at once as well.
        '--kwok-latency=0',
        '--log-level=info',
      ],
    })
  return cluster.startReference(kubeconfig)
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

const scrape = async (port: number): Promise<ReadonlyArray<string>> =>
  (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))

const valuesOf = (metrics: ReadonlyArray<string>, start: string): ReadonlyArray<number> =>
  metrics.filter((line) => line.startsWith(start)).map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))

const memoryMib = (pid: number, field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

const ticksPerSecond = 100

const cpuSeconds = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold spaces; user and system time are the 14th and 15th fields of the line.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

const render = (figures: Figures): string => {
  const { contestant, pods, nodes, runningS, initializedS, reads, writes, events, watches } = figures
  return [
    `${contestant}, ${pods} pods: all Running after ${runningS.toFixed(1)} s, all of ${nodes} nodes initialized after ${initializedS.toFixed(1)} s`,
    `  requests ${reads + writes} (${reads} reads, ${writes} writes), events ${events}, watches ${watches}`,
    `  RSS ${figures.rssMib.toFixed(0)} MiB (peak ${figures.peakRssMib.toFixed(0)}), CPU ${figures.cpuS.toFixed(1)} s, ${figures.series} metric series`,
    ...(contestant === 'ours'
      ? [`  event loop p99 ${figures.loopDelayMs.toFixed(0)} ms, watch events missed ${figures.missed}`]
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
  for (const [what, holds] of verdicts) say(`${holds ? 'holds' : 'FAILS'}: ${what}`)
  return verdicts.every(([, holds]) => holds)
}

process.exitCode = isIsolated() ? await inside() : await outside()
