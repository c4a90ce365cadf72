import type { Clock } from '@scantling/provider-kit'

import type { Face } from '../face.ts'
import { startAgenda } from './agenda.ts'
import type { Cluster, Running } from './cluster.ts'
import { startDaemonSets } from './daemon-set/daemon-set.ts'
import { startDeployments } from './deployment/deployment.ts'
import { startDisruptionBudgets } from './disruption-budget/disruption-budget.ts'
import { eventRecorder, noEvents } from './event-recorder.ts'
import { startInformers } from './informer.ts'
import { startJobs } from './job/job.ts'
import { startKubelets, type KubeletOptions } from './kubelet/kubelet.ts'
import { startNodeLifecycle, type NodeLifecycleOptions } from './node-lifecycle/node-lifecycle.ts'
import { startPodGarbageCollection, type PodGarbageOptions } from './pod-garbage.ts'
import { seededRandom } from './random.ts'
import { startReplicaSets } from './replica-set/replica-set.ts'
import { startScheduler, type SchedulerOptions } from './scheduler/scheduler.ts'
import { startStatefulSets } from './stateful-set/stateful-set.ts'
import { startVolumeBinder } from './volume-binder.ts'

export const controllerNames = [
  'deployment',
  'replica-set',
  'daemon-set',
  'disruption-budget',
  'node-lifecycle',
  'pod-garbage',
  'volume-binder',
  'scheduler',
  'kubelet',
  'stateful-set',
  'job',
] as const
export type ControllerName = (typeof controllerNames)[number]

export interface ControllersOptions {
  /** Which to run. Default: all. */
  readonly only?: ReadonlyArray<ControllerName>
  /** Of every latency that is drawn. Default: 1. */
  readonly seed?: number
  readonly kubelet?: KubeletOptions
  readonly scheduler?: SchedulerOptions
  readonly nodeLifecycle?: NodeLifecycleOptions
  readonly podGarbage?: PodGarbageOptions
  /** Whether controllers write Events. Default: true. */
  readonly events?: boolean
  /** Told of every failure that a controller will retry. Default: nobody. */
  readonly onError?: (error: unknown, controller: string, key: string) => void
}

/**
 * Runs the controllers that a cluster needs around its API server: workloads, scheduler, kubelets, and upkeep.
 *
 * They share one watch per resource and take all time from `clock`. Stopping resolves when nothing is under way any more.
 *
 * @example
 * const running = startControllers(server.face('controllers'), clock, { seed: 7 })
 * await running.stop()
 */
export const startControllers = (
  face: Face,
  clock: Clock,
  options: ControllersOptions = {},
): { readonly stop: () => Promise<void> } => {
  const { only = controllerNames, seed = 1, onError = () => {}, events = true } = options
  const agenda = startAgenda(clock)
  const informers = startInformers(face, agenda)
  const recorder = events ? eventRecorder(face, clock, (error) => onError(error, 'events', '')) : noEvents
  const base = { face, clock, agenda, informers, events: recorder, onError }
  // Each controller draws from its own stream, so that one does not shift another's latencies.
  const cluster = (name: ControllerName): Cluster => ({
    ...base,
    random: seededRandom(seed * 31 + controllerNames.indexOf(name)),
  })
  const starters: Readonly<Record<ControllerName, (cluster: Cluster) => Running>> = {
    deployment: startDeployments,
    'replica-set': startReplicaSets,
    'daemon-set': startDaemonSets,
    'disruption-budget': startDisruptionBudgets,
    'node-lifecycle': (own) => startNodeLifecycle(own, options.nodeLifecycle),
    'pod-garbage': (own) => startPodGarbageCollection(own, options.podGarbage),
    'volume-binder': startVolumeBinder,
    scheduler: (own) => startScheduler(own, options.scheduler),
    kubelet: (own) => startKubelets(own, options.kubelet),
    'stateful-set': startStatefulSets,
    job: startJobs,
  }
  const running = controllerNames.filter((name) => only.includes(name)).map((name) => starters[name](cluster(name)))
  return {
    stop: async () => {
      informers.stop()
      agenda.stop()
      await Promise.all(running.map(({ stop }) => stop()))
    },
  }
}
