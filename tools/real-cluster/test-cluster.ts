import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { startChild, type Child } from './child.ts'
import { startControlPlane, type Part } from './control-plane.ts'
import { isInitialized, namespaceOf, nodePool, deployment, type PodOptions, type Seen } from './manifests.ts'

export interface ControllerOptions {
  readonly flags?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly kubeconfig?: string
  /** Of Node itself. */
  readonly nodeFlags?: ReadonlyArray<string>
  /** Resolve at once instead of when it is ready. */
  readonly isReadyAwaited?: boolean
}

export interface RunningController extends Child {
  readonly metricsPort: number
  /** What it wrote so far. */
  readonly output: () => string
  /** Its lines, read. */
  readonly lines: () => ReadonlyArray<Readonly<Record<string, unknown>>>
  /** What `/readyz` answers, or nothing. */
  readonly readiness: () => Promise<string | undefined>
}

export interface TestClusterOptions {
  /** More flags for parts of the control plane. */
  readonly parts?: Partial<Readonly<Record<Part, ReadonlyArray<string>>>>
  /** Without them there is nothing of Karpenter's in the cluster. */
  readonly areDefinitionsInstalled?: boolean
}

const root = resolve(import.meta.dirname, '../..')
const fromEnvironment = (name: string): string => {
  const found = process.env[name]
  if (found === undefined) throw new Error('These tests run by "npm run e2e:cluster", which brings what they need')
  return found
}
const pollMs = 200
const readyWithinMs = 180_000
let nextPort = 18_000

/** The definitions that the chart installs, by file. */
export const definitions = (): ReadonlyArray<{ readonly metadata: { readonly name: string } }> => {
  const directory = join(root, 'deploy/crds')
  return readdirSync(directory).flatMap((file) =>
    parseAllDocuments(readFileSync(join(directory, file), 'utf8')).map((one) => one.toJS() as never),
  )
}

/** A real control plane with our definitions, a tainted system node, and what tests do with it. */
export const startTestCluster = async ({ parts = {}, areDefinitionsInstalled = true }: TestClusterOptions = {}) => {
  const plane = await startControlPlane(fromEnvironment('SCANTLING_CONTROL_PLANE'), parts)
  const { api } = plane
  // Kept after the run: what a failure is about is mostly said there.
  const logs = join(root, 'test-results/e2e-cluster', process.env['SCANTLING_E2E'] ?? 'one')
  mkdirSync(logs, { recursive: true })
  const children: Array<Child> = []

  /** Polls until the condition holds. Throws with what the cluster looks like when it does not in time. */
  const until = async (what: string, holds: () => Promise<boolean>, withinMs = 180_000): Promise<void> => {
    const deadline = performance.now() + withinMs
    while (!(await holds())) {
      if (performance.now() > deadline)
        throw new Error(`Waited ${withinMs / 1000} s in vain until ${what}\n${await picture()}\nLogs: ${logs}`)
      await new Promise((wake) => setTimeout(wake, pollMs))
    }
  }
  const picture = async (): Promise<string> => {
    const lines: Array<string> = []
    for (const plural of ['nodepools', 'nodeclaims', 'nodes', 'pods'])
      for (const { metadata, spec, status } of (await api.list<Seen>(plural).catch(() => [])).slice(0, 30))
        lines.push(
          [
            plural,
            metadata.namespace ?? '',
            metadata.name,
            metadata.labels?.['karpenter.sh/nodepool'] ?? '',
            status?.phase ?? '',
            spec.nodeName ?? status?.nodeName ?? '',
            metadata.deletionTimestamp === undefined ? '' : 'deleting',
            ...(status?.conditions ?? []).filter(({ status }) => status !== 'True').map(({ type }) => `not ${type}`),
          ].join(' '),
        )
    return lines.join('\n')
  }

  /** Our controller as users run it: the bundle, as a process of its own, with its simulated cloud inside. */
  const startController = async (name = 'controller', options: ControllerOptions = {}): Promise<RunningController> => {
    let output = ''
    const [metricsPort, probePort] = [nextPort++, nextPort++]
    const child = startChild({
      name,
      command: process.execPath,
      args: [
        ...(options.nodeFlags ?? []),
        fromEnvironment('SCANTLING_BUNDLE'),
        '--cluster-name=real',
        `--kubeconfig=${options.kubeconfig ?? plane.kubeconfig}`,
        `--metrics-port=${metricsPort}`,
        `--health-probe-port=${probePort}`,
        '--bind-address=127.0.0.1',
        '--kwok-latency=0.05',
        '--log-level=debug',
        ...(options.flags ?? ['--leader-elect=false']),
      ],
      env: { ...process.env, ...options.env },
      log: join(logs, `${name}.log`),
      onOutput: (text) => (output += text),
    })
    children.push(child)
    const readiness = async () =>
      (await fetch(`http://127.0.0.1:${probePort}/readyz`).catch(() => undefined))?.text().then((text) => text.trim())
    if (options.isReadyAwaited !== false) {
      const isReady = async () => (await readiness()) === 'ok'
      await Promise.race([until(`${name} is ready`, isReady, readyWithinMs), child.running])
    }
    const lines = () =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    return { ...child, metricsPort, output: () => output, lines, readiness }
  }

  /** How many pods of a namespace that match the selector run, on whatever node. */
  const running = async (namespace: string, labels: string): Promise<number> =>
    (await api.list<Seen>('pods', { namespace, labels })).filter(
      ({ status, metadata }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined,
    ).length

  /** A namespace and a NodePool of their own, so that several scenarios share a control plane without meeting. */
  const scenario = async (name: string) => {
    const pool = { labels: `karpenter.sh/nodepool=${name}` }
    await api.apply(namespaceOf(name))
    const nodes = () => api.list<Seen>('nodes', pool)
    const claims = () => api.list<Seen>('nodeclaims', pool)
    const here = ({ pod, ...options }: PodOptions): PodOptions => ({
      ...options,
      pod: { ...pod, nodeSelector: { 'karpenter.sh/nodepool': name } },
    })
    return {
      name,
      nodes,
      claims,
      here,
      /** Applies objects, those of namespaces in that of the scenario. */
      apply: (...objects: ReadonlyArray<object>) =>
        api.apply(
          ...objects.map((object) => {
            const { metadata } = object as { metadata: object }
            return 'namespace' in metadata ? { ...object, metadata: { ...metadata, namespace: name } } : object
          }),
        ),
      pool: (options: Parameters<typeof nodePool>[1] = {}) => nodePool(name, options),
      /** A Deployment whose pods go to nodes of the scenario's NodePool only. */
      deployment: (app: string, replicas: number, options: PodOptions = {}) => deployment(app, replicas, here(options)),
      scale: (app: string, replicas: number) => api.merge('deployments', app, { spec: { replicas } }, name),
      running: (app: string) => running(name, `app=${app}`),
      pods: (app: string) => api.list<Seen>('pods', { namespace: name, labels: `app=${app}` }),
      /** Waits until all pods run and every node is initialized. */
      settled: async (app: string, replicas: number) => {
        await until(
          `${replicas} pods of ${name}/${app} run`,
          async () => (await running(name, `app=${app}`)) === replicas,
          300_000,
        )
        await until(`every node of ${name} is initialized`, async () => (await nodes()).every(isInitialized))
      },
      /** Lets everything go that the scenario made, and waits for its machines. */
      end: async () => {
        await api.remove('namespaces', name)
        await api.remove('nodepools', name)
        await until(`nothing of ${name} is left`, async () => (await claims()).length === 0, 150_000)
      },
    }
  }

  if (areDefinitionsInstalled) {
    await api.create(...definitions())
    await until('the definitions are established', async () =>
      (await api.list<Seen>('customresourcedefinitions')).every((one) =>
        one.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'),
      ),
    )
  }
  const resources = { cpu: '8', memory: '32Gi', pods: '110' }
  // Where what is not ours would run: the plane's own pods, were there any.
  await api.create({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'system',
      labels: {
        'kwok.x-k8s.io/node': 'fake',
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': 'system',
        'topology.kubernetes.io/zone': 'us-west-2a',
      },
    },
    spec: { taints: [{ key: 'CriticalAddonsOnly', effect: 'NoSchedule' }] },
    status: { capacity: resources, allocatable: resources },
  })
  return {
    plane,
    api,
    until,
    startController,
    running,
    scenario,
    claims: () => api.list<Seen>('nodeclaims'),
    /** Nodes that a NodePool brought. */
    nodes: () => api.list<Seen>('nodes', { labels: 'karpenter.sh/nodepool' }),
    events: (reason: string) => api.list<Seen>('events', { fields: `reason=${reason}` }),
    /** The reference's own controller with its own simulated provider, whose machines are Nodes at once. */
    startReference: async (kubeconfig: string) => {
      const [metricsPort, probePort] = [nextPort++, nextPort++]
      const child = startChild({
        name: 'reference',
        command: join(fromEnvironment('SCANTLING_REFERENCE'), 'kwok'),
        args: [],
        log: join(logs, 'reference.log'),
        env: {
          ...process.env,
          KUBECONFIG: kubeconfig,
          DISABLE_LEADER_ELECTION: 'true',
          METRICS_PORT: String(metricsPort),
          HEALTH_PROBE_PORT: String(probePort),
          SYSTEM_NAMESPACE: 'kube-system',
          LOG_LEVEL: 'info',
        },
      })
      children.push(child)
      const isReady = async () =>
        (await fetch(`http://127.0.0.1:${probePort}/readyz`).catch(() => undefined))?.status === 200
      await Promise.race([until('the reference is ready', isReady, readyWithinMs), child.running])
      return { ...child, metricsPort }
    },
    /** The simulated cloud as a process of its own, which outlives controllers; every machine it ever started. */
    startCloud: async () => {
      let said = ''
      const child = startChild({
        name: 'cloud',
        command: process.execPath,
        args: ['--conditions=@scantling/source', join(root, 'packages/provider-kwok/src/cloud/main.ts'), '--speed=3'],
        log: join(logs, 'cloud.log'),
        onOutput: (text) => (said += text),
      })
      children.push(child)
      await Promise.race([until('the cloud listens', () => Promise.resolve(said.includes('\n'))), child.running])
      const { url } = JSON.parse(said) as { url: string }
      return {
        url,
        /** What clouds do to their own: interruptions, capacity, prices, faults. Throws when it is refused. */
        control: async (method: 'POST' | 'PUT', path: string, body: object): Promise<void> => {
          const answer = await fetch(`${url}/control/${path}`, { method, body: JSON.stringify(body) })
          if (!answer.ok) throw new Error(`${method} /control/${path}: ${answer.status} ${await answer.text()}`)
        },
        machines: async () => {
          const answer = (await (await fetch(`${url}/control/instances`)).json()) as {
            instances: ReadonlyArray<{ readonly id: string; readonly token: string; readonly state: string }>
          }
          return answer.instances
        },
      }
    },
    /** A kubeconfig whose user is a service account, by a token that lasts an hour. */
    kubeconfigOf: async (namespace: string, account: string, server = plane.server): Promise<string> => {
      const { body } = await api.request(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
        method: 'POST',
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
      })
      const { token } = (JSON.parse(body) as { status: { token: string } }).status
      const admin = JSON.parse(readFileSync(plane.kubeconfig, 'utf8')) as {
        users: ReadonlyArray<{ name: string }>
        clusters: ReadonlyArray<{ name: string; cluster: object }>
      }
      const file = join(plane.directory, `${account}.kubeconfig`)
      const users = admin.users.map(({ name }) => ({ name, user: { token } }))
      const clusters = admin.clusters.map(({ name, cluster }) => ({ name, cluster: { ...cluster, server } }))
      writeFileSync(file, JSON.stringify({ ...admin, users, clusters }))
      return file
    },
    stop: async () => {
      for (const child of children) await child.stop()
      await plane.stop()
    },
  }
}

export type TestCluster = Awaited<ReturnType<typeof startTestCluster>>
export type Scenario = Awaited<ReturnType<TestCluster['scenario']>>
