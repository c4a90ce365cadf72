import { fileURLToPath } from 'node:url'
import { accessOf, type AnyProviderModule } from '@scantling/controller'
import { readDefinitions, startKubeSim, type Face } from '@scantling/kube-sim'
import { systemClock } from '@scantling/provider-kit'
import { applyDeployment, kinds, scale, type Seen } from '../cluster/index.ts'
import { controllerProcess } from './controller-process.ts'
import { runKubelets, type BootedMachine } from './kubelets.ts'
import { holdToRole } from './role.ts'

/** The cloud around a cluster, emulated behind sockets. */
export interface EmulatedCloud {
  /** The provider by the name that `--provider` has for it. */
  readonly provider: string
  /** Its module, of which the role is made that the controller is held to. */
  readonly module: unknown
  readonly clusterName: string
  /** What the controller is told beside its cluster. */
  readonly flags: ReadonlyArray<string>
  /** What its SDKs need to come to the emulator. */
  readonly environment: Readonly<Record<string, string>>
  readonly machines: () => Promise<ReadonlyArray<BootedMachine>>
  /** Whether it has nothing of nodes that would be billed. */
  readonly isEmpty: () => boolean | Promise<boolean>
  /** How often each of its actions was called. */
  readonly calls: () => ReadonlyMap<string, number>
}

/** An API server with a face to it, machines with kubelets, and the controller as a process, on the time of this machine. */
export interface ProcessCluster {
  readonly face: Face
  readonly all: (ref: Parameters<Face['list']>[0]) => Promise<ReadonlyArray<Seen>>
  readonly startController: () => void
  readonly killController: () => Promise<void>
  /** Resolves when `holds`; rejects after `withinMs`, and when the controller ends by itself, with what that said last. */
  readonly until: (what: string, holds: () => boolean | Promise<boolean>, withinMs?: number) => Promise<void>
  /** A deployment whose pods end at once. */
  readonly deploy: (app: string, replicas: number, cpu: string, more?: object) => Promise<void>
  /** Resolves when no claim is left, and nothing in the cloud. */
  readonly untilEmpty: () => Promise<void>
  /** As an operator would who is done: no pods, no claims; resolves when nothing is left. */
  readonly clear: (app: string) => Promise<void>
  /** Runs a scenario, prints the calls that it took of the cloud, and gives them. */
  readonly counted: (scenario: string, run: () => Promise<void>) => Promise<ReadonlyMap<string, number>>
  readonly stop: () => Promise<void>
}

/** Disruption that gives machines back as soon as it can. */
export const eager = {
  consolidationPolicy: 'WhenEmptyOrUnderutilized',
  consolidateAfter: '0s',
  budgets: [{ nodes: '100%' }],
}

const definitions = fileURLToPath(new URL('../../../../deploy/crds', import.meta.url))
const pollMs = 200
const kubeletMs = 250
// Seconds are enough on a machine that does nothing else; where many tests share two cores they are not.
const patienceMs = 150_000

/** Starts all of a cluster but its controller. */
export const startProcessCluster = async (cloud: EmulatedCloud): Promise<ProcessCluster> => {
  const sim = await startKubeSim({ clock: systemClock, port: 0, definitions: await readDefinitions([definitions]) })
  const face = sim.server.face('test')
  const role = holdToRole(sim.server, {
    client: 'karpenter/',
    namespace: 'kube-system',
    access: accessOf(cloud.module as AnyProviderModule),
  })
  const kubelets = runKubelets({ clock: systemClock, face, machines: cloud.machines, everyMs: kubeletMs })
  const controller = controllerProcess({
    provider: cloud.provider,
    flags: [
      ...['--server', sim.url ?? '', '--cluster-name', cloud.clusterName],
      ...['--cluster-endpoint', 'https://cluster.example', '--batch-idle-duration', '300ms'],
      ...['--metrics-port', '0', '--health-probe-port', '0'],
      ...cloud.flags,
    ],
    environment: cloud.environment,
  })
  const all: ProcessCluster['all'] = async (ref) => (await face.list(ref)).items as unknown as ReadonlyArray<Seen>
  let hasFailed = false
  const fail = (why: string): never => {
    hasFailed = true
    throw new Error(`${why}; the controller says\n${controller.said()}`)
  }
  const until: ProcessCluster['until'] = async (what, holds, withinMs = patienceMs) => {
    // What comes after a scenario that failed begins from no known state, and would take its time to say so.
    if (hasFailed) throw new Error('Not tried: an earlier scenario failed')
    const untilMs = systemClock.nowMs() + withinMs
    while (!(await holds())) {
      const death = controller.death()
      if (death !== undefined) fail(`${death} before ${what}`)
      if (role.refused().length > 0) fail(`The role of the chart is too small for ${role.refused().join(', ')}`)
      if (systemClock.nowMs() > untilMs) fail(`Waited ${withinMs / 1000} s in vain until ${what}`)
      await systemClock.sleep(pollMs)
    }
  }
  const untilEmpty = async () => {
    await until('the cloud has nothing of nodes', cloud.isEmpty)
    await until('no claim is left', async () => (await all(kinds.nodeClaims)).length === 0)
  }
  return {
    face,
    all,
    startController: controller.start,
    killController: controller.kill,
    until,
    deploy: async (app, replicas, cpu, more = {}) =>
      void (await applyDeployment({ face }, app, replicas, cpu, { terminationGracePeriodSeconds: 1, ...more })),
    untilEmpty,
    clear: async (app) => {
      await scale({ face }, app, 0)
      await until('its pods are gone', async () => (await all(kinds.pods)).length === 0)
      for (const { metadata } of await all(kinds.nodeClaims))
        // Consolidation may have been faster.
        await face.delete({ ...kinds.nodeClaims, name: metadata.name }).catch(() => undefined)
      await untilEmpty()
    },
    counted: async (scenario, run) => {
      const before = cloud.calls()
      const startedMs = systemClock.nowMs()
      await run()
      const took = new Map(
        [...cloud.calls()]
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
      process.stdout.write(`granted and not needed here: ${role.unused().join(', ')}\n`)
      await controller.kill()
      await kubelets.stop()
      await sim.stop()
    },
  }
}
