/// <reference types="node" />
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { resource, startKubeSim, type DraftObject, type Face } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'
import { parse } from 'yaml'
import {
  agentPool,
  clusterGroup,
  managedCluster,
  nodeGroup,
  startEmulator,
  subnetId,
  subscription,
  type Emulator,
  type WorldOptions,
} from '../emulator/index.ts'
import { runKubelets } from './kubelet.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const here = fileURLToPath(new URL('../../', import.meta.url))

export const kinds = {
  pods: { ...resource('v1', 'pods'), namespace: 'default' },
  nodes: resource('v1', 'nodes'),
  deployments: { ...resource('apps/v1', 'deployments'), namespace: 'default' },
  nodePools: resource('karpenter.sh/v1', 'nodepools'),
  nodeClaims: resource('karpenter.sh/v1', 'nodeclaims'),
  nodeClasses: resource('karpenter.azure.com/v1beta1', 'aksnodeclasses'),
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

/** A cluster in the emulated Azure: API server, VMs with kubelets, and the controller as a process of its own. */
export interface AzureCluster {
  readonly azure: Emulator
  readonly face: Face
  readonly all: (kind: keyof typeof kinds) => Promise<ReadonlyArray<Seen>>
  readonly startController: () => void
  readonly killController: () => Promise<void>
  /** Resolves when `isSo`; rejects with what the controller logged last. */
  readonly until: (what: string, isSo: () => Promise<boolean>, withinMs?: number) => Promise<void>
  readonly deploy: (name: string, replicas: number, cpu: string, more?: object) => Promise<void>
  readonly scale: (name: string, replicas: number) => Promise<void>
  readonly runningPods: (app?: string) => Promise<number>
  /** What there is of nodes in Azure that is not on its way out: VMs, machines, NICs and disks, as type and name. */
  readonly billed: (type?: string) => ReadonlyArray<string>
  /** Runs a scenario, prints the calls it took, and gives them. */
  readonly counted: (name: string, run: () => Promise<void>) => Promise<ReadonlyMap<string, number>>
  readonly stop: () => Promise<void>
}

const pollMs = 200
const keptLines = 40
const billedTypes = /\/(virtualMachines|machines|networkInterfaces|disks)$/

export const startAzureCluster = async (
  provisionMode: 'aksscriptless' | 'aksmachineapiheaderbatch',
  world: WorldOptions = {},
): Promise<AzureCluster> => {
  const azure = await startEmulator({ operationMs: 500, pageSize: 500, graphLagMs: 500, ...world })
  const folder = mkdtempSync(path.join(tmpdir(), 'scantling-e2e-azure-'))
  const file = (name: string, text: string) => {
    const place = path.join(folder, name)
    writeFileSync(place, text)
    return place
  }
  const environmentFile = file(
    'environment.json',
    JSON.stringify({
      name: 'Emulated',
      resourceManagerEndpoint: azure.url,
      activeDirectoryEndpoint: azure.url,
      tokenAudience: azure.url,
    }),
  )
  const caFile = file('ca.pem', azure.ca)
  const crds = `${root}deploy/crds`
  const definitions = readdirSync(crds).map((name) => parse(readFileSync(`${crds}/${name}`, 'utf8')) as DraftObject)
  const sim = await startKubeSim({ clock: systemClock, port: 0, definitions })
  const face = sim.server.face('test')
  const kubelets = runKubelets(azure.world, face)
  const lines: Array<string> = []
  let controller: ChildProcess | undefined
  const startController = () => {
    const child = spawn(
      process.execPath,
      [
        '--conditions=@scantling/source',
        '--disable-warning=ExperimentalWarning',
        `${root}packages/controller/src/main.ts`,
        ...['--provider', 'azure', '--server', sim.url ?? '', '--cluster-name', managedCluster],
        ...['--cluster-endpoint', 'https://cluster.example', '--batch-idle-duration', '300ms'],
        ...['--metrics-port', '0', '--health-probe-port', '0'],
        ...['--subscription-id', subscription, '--location', azure.world.location],
        ...['--cluster-resource-group', clusterGroup, '--node-resource-group', nodeGroup],
        ...['--vnet-subnet-id', subnetId, '--azure-environment-filepath', environmentFile],
        ...['--provision-mode', provisionMode],
        ...(provisionMode === 'aksscriptless'
          ? []
          : ['--use-sig', 'true', '--sig-subscription-id', subscription, '--aks-machines-pool-name', agentPool]),
      ],
      {
        cwd: here,
        stdio: ['ignore', 'pipe', 'pipe'],
        // A clean environment: no key of anybody's is read.
        env: {
          PATH: process.env['PATH'],
          HOME: '/nonexistent',
          NODE_EXTRA_CA_CERTS: caFile,
          AZURE_TENANT_ID: '00000000-0000-0000-0000-000000000002',
          AZURE_CLIENT_ID: '00000000-0000-0000-0000-000000000003',
          AZURE_CLIENT_SECRET: 'emulated',
          KUBELET_BOOTSTRAP_TOKEN: 'abcdef.0123456789abcdef',
          SSH_PUBLIC_KEY: 'ssh-rsa AAAA azureuser',
        },
      },
    )
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line)
        if (lines.length > keptLines) lines.shift()
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
  const all: AzureCluster['all'] = async (kind) =>
    (await face.list(kinds[kind])).items as unknown as ReadonlyArray<Seen>
  return {
    azure,
    face,
    all,
    startController,
    killController,
    until: async (what, isSo, withinMs = 120_000) => {
      const untilMs = systemClock.nowMs() + withinMs
      while (!(await isSo())) {
        if (systemClock.nowMs() > untilMs)
          throw new Error(`Waited ${withinMs / 1000} s in vain until ${what}; the controller says\n${lines.join('\n')}`)
        await systemClock.sleep(pollMs)
      }
    },
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
    scale: async (app, replicas) =>
      void (await face.patch({ ...kinds.deployments, name: app }, 'merge', { spec: { replicas } })),
    runningPods: async (app) =>
      (await all('pods')).filter(
        ({ status, metadata }) =>
          status?.phase === 'Running' && (app === undefined || metadata.labels?.['app'] === app),
      ).length,
    billed: (type) =>
      [...azure.world.all()].flatMap((one) => {
        const [, kind = ''] = billedTypes.exec(one.type) ?? []
        const isWanted = kind !== '' && (type === undefined || kind === type) && one.deletedAtMs === undefined
        return isWanted ? [`${kind} ${one.name}`] : []
      }),
    counted: async (scenario, run) => {
      const before = azure.tally()
      await run()
      const took = new Map(
        Object.entries(azure.tally())
          .map(([action, count]) => [action.replace('Microsoft.', ''), count - (before[action] ?? 0)] as const)
          .filter(([, count]) => count > 0)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      )
      process.stdout.write(
        `calls of "${scenario}": ${[...took].map(([action, count]) => `${action} ${count}`).join(', ')}\n`,
      )
      return took
    },
    stop: async () => {
      await killController()
      await kubelets.stop()
      await sim.stop()
      await azure.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
