import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startEmbeddedCluster, type EmbeddedCluster } from '../packages/cli/src/embedded/index.ts'

/*
 * How long a burst of pods takes on the embedded cluster, from apply to Running on Ready nodes, with default latencies
 * and every process real: npm run bench:embedded -- --pods 5000
 *
 * The goal for 5,000 pods at --speed 10 is 60 s and a controller of 300 MB. Beyond three times that it fails: machines
 * differ, but not by that much.
 */
const goal = { secondsPer5000: 60, controllerMegabytes: 300 }
const slack = 3
const ticksPerSecond = 100

const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '5000' },
    speed: { type: 'string', default: '10' },
    'keep-log': { type: 'boolean', default: false },
  },
})
const pods = Number(values.pods)
const speed = Number(values.speed)
if (!Number.isInteger(pods) || pods < 1 || !(speed > 0)) {
  process.stderr.write('Cannot run: --pods takes a count of at least 1, --speed a number above 0\n')
  process.exit(2)
}

interface Usage {
  readonly cpuSeconds: number
  readonly megabytes: number
  readonly peakMegabytes: number
}

/** What the operating system says of each process of the cluster, by name. */
const usages = (): ReadonlyMap<string, Usage> => {
  const found = new Map<string, Usage>()
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(parent) !== process.pid) continue
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      const name = line.includes('kube-sim')
        ? 'kube-sim'
        : line.includes('provider-kwok')
          ? 'cloud'
          : line.includes('controller-process')
            ? 'controller'
            : undefined
      if (name === undefined) continue
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const megabytes = (field: string) =>
        Number(new RegExp(`^${field}:\\s+([0-9]+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024
      // Fields 14 and 15 of stat; `rest` starts at field 5.
      const cpuSeconds = (Number(rest[9]) + Number(rest[10])) / ticksPerSecond
      found.set(name, { cpuSeconds, megabytes: megabytes('VmRSS'), peakMegabytes: megabytes('VmHWM') })
    } catch {
      // The process ended between the listing and the look.
    }
  }
  return found
}

const manifests = [
  {
    path: '/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses',
    body: {
      apiVersion: 'karpenter.kwok.sh/v1alpha1',
      kind: 'KWOKNodeClass',
      metadata: { name: 'default' },
    },
  },
  {
    path: '/apis/karpenter.sh/v1/nodepools',
    body: {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name: 'default' },
      spec: {
        template: {
          spec: {
            nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
            requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }],
          },
        },
        disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '30s' },
      },
    },
  },
  {
    path: '/apis/apps/v1/namespaces/default/deployments',
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'burst' },
      spec: {
        replicas: pods,
        selector: { matchLabels: { app: 'burst' } },
        template: {
          metadata: { labels: { app: 'burst' } },
          spec: {
            containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu: '500m', memory: '512Mi' } } }],
          },
        },
      },
    },
  },
]

interface Listed<A> {
  readonly items: ReadonlyArray<A>
}

const ask = async (cluster: EmbeddedCluster, path: string, body?: object): Promise<unknown> => {
  const response = await fetch(`${cluster.server}${path}`, {
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

const lines: Array<string> = []
const cluster = await startEmbeddedCluster({
  speed,
  port: 0,
  catalog: 'ec2-like',
  onControllerLine: (line) => {
    lines.push(line)
    if (values['keep-log']) process.stderr.write(`${line}\n`)
  },
})
try {
  const before = usages()
  const startedMs = performance.now()
  const seconds = () => (performance.now() - startedMs) / 1000
  for (const { path, body } of manifests) await ask(cluster, path, body)
  const limitSeconds = slack * goal.secondsPer5000 * Math.max(1, pods / 5000) * (10 / speed)
  let ready = 0
  let reported = 0
  let controllerPeak = 0
  while (ready < pods && seconds() < limitSeconds) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    const deployment = (await ask(cluster, '/apis/apps/v1/namespaces/default/deployments/burst')) as {
      readonly status?: { readonly replicas?: number; readonly readyReplicas?: number }
    }
    ready = deployment.status?.readyReplicas ?? 0
    controllerPeak = Math.max(controllerPeak, usages().get('controller')?.megabytes ?? 0)
    if (seconds() - reported < 5) continue
    reported = seconds()
    process.stdout.write(`${seconds().toFixed(1)} s: ${deployment.status?.replicas ?? 0} pods, ${ready} ready\n`)
  }
  const tookSeconds = seconds()
  const nodes = (await ask(cluster, '/api/v1/nodes')) as Listed<{
    readonly metadata: { readonly name: string }
    readonly status: { readonly conditions?: ReadonlyArray<{ readonly type: string; readonly status: string }> }
  }>
  const readyNodes = new Set(
    nodes.items
      .filter(({ status }) => status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'))
      .map(({ metadata }) => metadata.name),
  )
  const placed = (await ask(cluster, '/api/v1/namespaces/default/pods')) as Listed<{
    readonly spec: { readonly nodeName?: string }
  }>
  const onReadyNodes = placed.items.filter(({ spec }) => readyNodes.has(spec.nodeName ?? '')).length
  process.stdout.write(
    `${onReadyNodes} of ${pods} pods on ${readyNodes.size} Ready nodes after ${tookSeconds.toFixed(1)} s at --speed ${speed}\n`,
  )
  for (const [name, { cpuSeconds, megabytes, peakMegabytes }] of usages()) {
    const used = cpuSeconds - (before.get(name)?.cpuSeconds ?? 0)
    process.stdout.write(
      `${name}: ${used.toFixed(1)} s of CPU, ${megabytes.toFixed(0)} MB, at most ${peakMegabytes.toFixed(0)} MB\n`,
    )
  }
  const isFast = onReadyNodes === pods && tookSeconds <= limitSeconds
  const isSmall = controllerPeak <= slack * goal.controllerMegabytes
  const goalSeconds = limitSeconds / slack
  process.stdout.write(
    `goal: ${goalSeconds.toFixed(0)} s ${tookSeconds <= goalSeconds ? 'met' : 'missed'}, ` +
      `controller ${goal.controllerMegabytes} MB ${controllerPeak <= goal.controllerMegabytes ? 'met' : 'missed'} (${controllerPeak.toFixed(0)} MB)\n`,
  )
  const problems = lines.filter((line) => line.includes('"level":"error"') || line.includes('"ERROR"'))
  for (const line of problems.slice(0, 5)) process.stderr.write(`${line}\n`)
  process.exitCode = isFast && isSmall ? 0 : 1
} finally {
  await cluster.stop()
}
