/// <reference types="node" />
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { readFileSync, readdirSync } from 'node:fs'
import { resource, startKubeSim, type DraftObject, type Face } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'
import { parse } from 'yaml'
import { startEmulator, textOf, type Emulator } from '../emulator/index.ts'
import { runKubelets } from './kubelet.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const here = fileURLToPath(new URL('../../', import.meta.url))

export const kinds = {
  pods: { ...resource('v1', 'pods'), namespace: 'default' },
  nodes: resource('v1', 'nodes'),
  deployments: { ...resource('apps/v1', 'deployments'), namespace: 'default' },
  nodePools: resource('karpenter.sh/v1', 'nodepools'),
  nodeClaims: resource('karpenter.sh/v1', 'nodeclaims'),
  nodeClasses: resource('karpenter.k8s.aws/v1', 'ec2nodeclasses'),
}

export interface Seen {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec: { readonly providerID?: string; readonly nodeName?: string }
  readonly status?: {
    readonly phase?: string
    readonly providerID?: string
    readonly conditions?: ReadonlyArray<{
      readonly type: string
      readonly status: string
      readonly reason?: string
      readonly message?: string
    }>
  }
}

/** A cluster in the emulated AWS: API server, machines with kubelets, and the controller as a process of its own. */
export interface AwsCluster {
  readonly aws: Emulator
  readonly face: Face
  readonly all: (kind: keyof typeof kinds) => Promise<ReadonlyArray<Seen>>
  readonly startController: () => void
  readonly killController: () => Promise<void>
  /** Resolves when `isSo`; rejects with what the controller logged last. */
  readonly until: (what: string, isSo: () => Promise<boolean>, withinMs?: number) => Promise<void>
  readonly deploy: (name: string, replicas: number, cpu: string, more?: object) => Promise<void>
  readonly scale: (name: string, replicas: number) => Promise<void>
  /** Takes a deployment away and deletes every NodeClaim; resolves when EC2 has no instance left. */
  readonly clear: (name: string) => Promise<void>
  readonly runningPods: (app?: string) => Promise<number>
  /** Ids of EC2's instances that are not on their way out. */
  readonly instanceIds: () => Promise<ReadonlyArray<string>>
  /** Runs a scenario, prints the calls it took, and gives them. */
  readonly counted: (name: string, run: () => Promise<void>) => Promise<ReadonlyMap<string, number>>
  readonly stop: () => Promise<void>
}

const pollMs = 200
const keptLines = 40
// Seconds are enough on a machine that does nothing else; where many tests share two cores they are not.
const patienceMs = 150_000

export const startAwsCluster = async (name: string): Promise<AwsCluster> => {
  const aws = await startEmulator({ cluster: name, say: (sentence) => process.stdout.write(`${sentence}\n`) })
  const crds = `${root}deploy/crds`
  const definitions = readdirSync(crds).map((file) => parse(readFileSync(`${crds}/${file}`, 'utf8')) as DraftObject)
  const sim = await startKubeSim({ clock: systemClock, port: 0, definitions })
  const face = sim.server.face('test')
  const kubelets = runKubelets(aws, face)
  const lines: Array<string> = []
  let controller: ChildProcess | undefined
  let hasFailed = false
  const startController = () => {
    const child = spawn(
      process.execPath,
      [
        '--conditions=@scantling/source',
        '--disable-warning=ExperimentalWarning',
        `${root}packages/controller/src/main.ts`,
        ...['--provider', 'aws', '--server', sim.url ?? '', '--cluster-name', name],
        ...['--cluster-endpoint', 'https://cluster.example', '--interruption-queue', aws.queue],
        ...['--batch-idle-duration', '300ms', '--metrics-port', '0', '--health-probe-port', '0'],
      ],
      {
        cwd: here,
        stdio: ['ignore', 'pipe', 'pipe'],
        // A clean environment: no key of anybody's is read.
        env: {
          PATH: process.env['PATH'],
          HOME: '/nonexistent',
          NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
          ...aws.environment,
        },
      },
    )
    let hasLostLease = false
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        hasLostLease ||= line.includes('leadership was lost')
        lines.push(line)
        if (lines.length > keptLines) lines.shift()
      })
    child.once('close', (code) => {
      if (controller !== child) return
      // On a machine that does too much at once a Lease may run out; a Deployment would start the pod again.
      lines.push(`The controller ended with ${code}${hasLostLease ? ', and is started again' : ''}`)
      if (hasLostLease) startController()
    })
    controller = child
  }
  const killController = async () => {
    const child = controller
    controller = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    await new Promise((resolve) => {
      child.once('close', resolve)
      child.kill('SIGKILL')
    })
  }
  const all: AwsCluster['all'] = async (kind) => (await face.list(kinds[kind])).items as unknown as ReadonlyArray<Seen>
  const until: AwsCluster['until'] = async (what, isSo, withinMs = patienceMs) => {
    // What comes after a scenario that failed begins from no known state, and would take its time to say so.
    if (hasFailed) throw new Error('Not tried: an earlier scenario failed')
    const untilMs = systemClock.nowMs() + withinMs
    while (!(await isSo())) {
      if (systemClock.nowMs() > untilMs) {
        hasFailed = true
        throw new Error(`Waited ${withinMs / 1000} s in vain until ${what}; the controller says\n${lines.join('\n')}`)
      }
      await systemClock.sleep(pollMs)
    }
  }
  const scale: AwsCluster['scale'] = async (app, replicas) =>
    void (await face.patch({ ...kinds.deployments, name: app }, 'merge', { spec: { replicas } }))
  const instanceIds = async () => (await aws.instances()).map((instance) => textOf(instance, 'instanceId'))
  return {
    aws,
    face,
    all,
    startController,
    killController,
    until,
    deploy: async (app, replicas, cpu, more = {}) =>
      void (await face.create(kinds.deployments, {
        metadata: { name: app },
        spec: {
          replicas,
          selector: { matchLabels: { app } },
          template: {
            metadata: { labels: { app } },
            spec: {
              terminationGracePeriodSeconds: 1,
              containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu } } }],
              ...more,
            },
          },
        },
      })),
    scale,
    clear: async (app) => {
      await scale(app, 0)
      await until('its pods are gone', async () => (await all('pods')).length === 0)
      for (const { metadata } of await all('nodeClaims'))
        await face.delete({ ...kinds.nodeClaims, name: metadata.name })
      await until('EC2 has no instance', async () => (await instanceIds()).length === 0)
      await until('no claim is left', async () => (await all('nodeClaims')).length === 0)
    },
    runningPods: async (app) =>
      (await all('pods')).filter(
        ({ status, metadata }) =>
          status?.phase === 'Running' && (app === undefined || metadata.labels?.['app'] === app),
      ).length,
    instanceIds,
    counted: async (scenario, run) => {
      const before = aws.calls()
      const startedMs = systemClock.nowMs()
      await run()
      const took = new Map(
        [...aws.calls()]
          .map(([action, count]) => [action, count - (before.get(action) ?? 0)] as const)
          .filter(([, count]) => count > 0)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      )
      const list = [...took].map(([action, count]) => `${action} ${count}`).join(', ')
      const seconds = ((systemClock.nowMs() - startedMs) / 1000).toFixed(0)
      process.stdout.write(`calls of "${scenario}", ${seconds} s: ${list}\n`)
      return took
    },
    stop: async () => {
      await killController()
      await kubelets.stop()
      await sim.stop()
      await aws.stop()
    },
  }
}
