import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startChild, type Child } from './child.ts'
import { startControlPlane, type ControlPlane } from './control-plane.ts'

/** An object as these tests read it. */
export interface Seen {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
    readonly creationTimestamp: string
  }
  readonly spec: {
    readonly nodeName?: string
    readonly providerID?: string
    readonly holderIdentity?: string
    readonly taints?: ReadonlyArray<{ readonly key: string; readonly effect: string }>
  }
  readonly status?: {
    readonly phase?: string
    readonly nodeName?: string
    readonly providerID?: string
    readonly conditions?: ReadonlyArray<{
      readonly type: string
      readonly status: string
      readonly reason?: string
      readonly message?: string
    }>
  }
  readonly reason?: string
  readonly message?: string
  readonly involvedObject?: { readonly kind: string; readonly name: string }
}

export interface ControllerOptions {
  readonly flags?: ReadonlyArray<string>
  readonly kubeconfig?: string
  /** Instead of the sources: a bundle, as users run it. */
  readonly entry?: string
}

export interface RunningController extends Child {
  readonly metricsPort: number
  /** What it wrote so far. */
  readonly output: () => string
}

const root = resolve(import.meta.dirname, '../..')
const binaries = (): string => {
  const found = process.env['SCANTLING_CONTROL_PLANE']
  if (found === undefined) throw new Error('These tests run by "npm run e2e:cluster", which brings the control plane')
  return found
}
const pollMs = 250
const readyWithinMs = 60_000
let nextPort = 18_000

/** A real control plane with our definitions, a tainted system node, and what tests do with it. */
export const startTestCluster = async () => {
  const plane = await startControlPlane(binaries())
  const logs = mkdtempSync(join(tmpdir(), 'scantling-e2e-'))
  const children: Array<Child> = []

  /** One call of kubectl. Throws with what it said when it fails. */
  const kubectl = (args: ReadonlyArray<string>, input?: string): string => {
    const ran = spawnSync(join(binaries(), 'kubectl'), [`--kubeconfig=${plane.kubeconfig}`, ...args], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      ...(input === undefined ? {} : { input }),
    })
    if (ran.status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${ran.stderr.trim()}`)
    return ran.stdout
  }
  /** Applies objects as kubectl would from a file. */
  const apply = (...objects: ReadonlyArray<object>): string =>
    kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  const list = (kind: string, ...flags: ReadonlyArray<string>): ReadonlyArray<Seen> =>
    (JSON.parse(kubectl(['get', kind, '-A', '-o', 'json', ...flags])) as { items: ReadonlyArray<Seen> }).items

  /** Polls until the condition holds. Throws with what the cluster looks like when it does not in time. */
  const until = async (what: string, holds: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> => {
    const deadline = performance.now() + withinMs
    while (!(await holds())) {
      if (performance.now() > deadline)
        throw new Error(`Waited ${withinMs / 1000} s in vain until ${what}\n${picture()}`)
      await new Promise((wake) => setTimeout(wake, pollMs))
    }
  }
  const picture = (): string =>
    [
      kubectl(['get', 'nodepools,nodeclaims,nodes', '-o', 'wide']),
      kubectl(['get', 'pods', '-A', '-o', 'wide']).split('\n').slice(0, 20).join('\n'),
      ...readdirSync(logs).map((file) => readFileSync(join(logs, file), 'utf8').split('\n').slice(-25).join('\n')),
    ].join('\n')

  /** Our controller as a process of its own, over the network, with its simulated cloud inside. */
  const startController = async (name = 'controller', options: ControllerOptions = {}): Promise<RunningController> => {
    let output = ''
    const [metricsPort, probePort] = [nextPort++, nextPort++]
    const entry = options.entry ?? join(root, 'packages/controller/src/main.ts')
    const child = startChild({
      name,
      command: process.execPath,
      args: [
        '--conditions=@scantling/source',
        '--disable-warning=ExperimentalWarning',
        entry,
        '--provider=kwok',
        '--cluster-name=real',
        `--kubeconfig=${options.kubeconfig ?? plane.kubeconfig}`,
        `--metrics-port=${metricsPort}`,
        `--health-probe-port=${probePort}`,
        '--bind-address=127.0.0.1',
        '--kwok-latency=0.1',
        ...(options.flags ?? ['--leader-elect=false']),
      ],
      // Providers are looked for from here: the cli has the simulated one.
      cwd: join(root, 'packages/cli'),
      log: join(logs, `${name}.log`),
      onOutput: (text) => (output += text),
    })
    children.push(child)
    const isReady = async () =>
      (await fetch(`http://127.0.0.1:${probePort}/readyz`).catch(() => undefined))?.ok === true
    await Promise.race([until(`${name} is ready`, isReady, readyWithinMs), child.running])
    return { ...child, metricsPort, output: () => output }
  }

  const crds = join(root, 'deploy/crds')
  for (const file of readdirSync(crds)) kubectl(['create', '-f', join(crds, file)])
  kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])
  // Where what is not ours would run: the plane's own pods, were there any.
  apply({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'system', labels: { 'kwok.x-k8s.io/node': 'fake' } },
    spec: { taints: [{ key: 'CriticalAddonsOnly', effect: 'NoSchedule' }] },
    status: capacity({ cpu: '8', memory: '32Gi', pods: '110' }),
  })
  return {
    plane,
    kubectl,
    apply,
    list,
    until,
    startController,
    /** Nodes that a NodePool brought. */
    nodes: () => list('nodes', '-l', 'karpenter.sh/nodepool'),
    claims: () => list('nodeclaims'),
    /** How many pods that match the selector run, on whatever node. */
    running: (selector: string) =>
      list('pods', '-l', selector).filter(
        ({ status, metadata }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined,
      ).length,
    events: (reason: string) => list('events', `--field-selector=reason=${reason}`),
    stop: async () => {
      for (const child of children) await child.stop()
      await plane.stop()
      rmSync(logs, { recursive: true, force: true })
    },
  }
}

const capacity = (resources: Readonly<Record<string, string>>) => ({ capacity: resources, allocatable: resources })

export type TestCluster = Awaited<ReturnType<typeof startTestCluster>>
export type { ControlPlane }

export const nodeClass = {
  apiVersion: 'karpenter.kwok.sh/v1alpha1',
  kind: 'KWOKNodeClass',
  metadata: { name: 'default' },
}

/** A NodePool that buys on-demand machines and lets them go quickly. */
export const nodePool = (
  name: string,
  { spec = {}, template = {} }: { readonly spec?: object; readonly template?: object } = {},
) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name },
  spec: {
    disruption: {
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfter: '1s',
      budgets: [{ nodes: '100%' }],
    },
    ...spec,
    template: {
      spec: {
        nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
        requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
        ...template,
      },
    },
  },
})

/** A Deployment of pause containers, labelled `app: name`. */
export const deployment = (
  name: string,
  replicas: number,
  requests: Readonly<Record<string, string>>,
  pod: object = {},
  annotations: Readonly<Record<string, string>> = {},
) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name }, annotations },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: 'pause', resources: { requests } }],
        ...pod,
      },
    },
  },
})

export const conditionOf = (object: Seen | undefined, type: string) =>
  object?.status?.conditions?.find((condition) => condition.type === type)
