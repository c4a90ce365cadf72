import { timeText } from '../conditions.ts'
import type { Container, PodObject } from '../objects.ts'

/**
 * The statuses that a kubelet writes for a pod, as strategic merge patches of the status.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
export interface StatusInput {
  readonly pod: PodObject
  readonly nowMs: number
  readonly hostIP: string | undefined
  readonly podIP: string
}

const condition = (type: string, isTrue: boolean, nowMs: number, reason?: string, message?: string) => ({
  type,
  status: isTrue ? 'True' : 'False',
  lastProbeTime: null,
  lastTransitionTime: timeText(nowMs),
  // A patch that leaves a field out keeps it: a condition that turned true must lose its old reason.
  reason: reason ?? null,
  message: message ?? null,
})

const sidecars = (pod: PodObject) => (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
const namesOf = (containers: ReadonlyArray<Container>) => containers.map(({ name }) => name).join(' ')

/** Bound and accepted: the image is being pulled, the sandbox made. */
export const creatingStatus = ({ pod, nowMs, hostIP }: StatusInput) => {
  const containers = pod.spec.containers ?? []
  const init = pod.spec.initContainers ?? []
  const unready = `containers with unready status: [${namesOf(containers)}]`
  const waiting = (reason: string) => (container: Container) => ({
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason } },
  })
  return {
    phase: 'Pending',
    startTime: timeText(nowMs),
    ...(hostIP === undefined ? {} : { hostIP, hostIPs: [{ ip: hostIP }] }),
    conditions: [
      condition('PodReadyToStartContainers', false, nowMs),
      init.length === 0
        ? condition('Initialized', true, nowMs)
        : condition(
            'Initialized',
            false,
            nowMs,
            'ContainersNotInitialized',
            `containers with incomplete status: [${namesOf(init)}]`,
          ),
      condition('Ready', false, nowMs, 'ContainersNotReady', unready),
      condition('ContainersReady', false, nowMs, 'ContainersNotReady', unready),
    ],
    containerStatuses: containers.map(waiting(init.length === 0 ? 'ContainerCreating' : 'PodInitializing')),
    ...(init.length === 0 ? {} : { initContainerStatuses: init.map(waiting('PodInitializing')) }),
  }
}

/** All containers run and are ready. */
export const runningStatus = ({ pod, nowMs, hostIP, podIP }: StatusInput) => {
  const startedAt = timeText(nowMs)
  const running = (container: Container) => ({
    ...containerIdentity(pod, container),
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt } },
  })
  const ended = (container: Container) => ({
    ...containerIdentity(pod, container),
    ready: true,
    started: false,
    restartCount: 0,
    state: { terminated: { exitCode: 0, reason: 'Completed', startedAt, finishedAt: startedAt } },
  })
  const always = new Set(sidecars(pod))
  const init = pod.spec.initContainers ?? []
  return {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    ...(pod.status?.startTime === undefined ? { startTime: startedAt } : {}),
    ...(hostIP === undefined ? {} : { hostIP, hostIPs: [{ ip: hostIP }] }),
    conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady'].map((type) =>
      condition(type, true, nowMs),
    ),
    containerStatuses: (pod.spec.containers ?? []).map(running),
    ...(init.length === 0
      ? {}
      : { initContainerStatuses: init.map((one) => (always.has(one) ? running(one) : ended(one))) }),
  }
}

/** How often the containers of a pod have been started anew. */
export const restartsOf = ({ status }: PodObject): number =>
  Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount))

/** All containers ended badly, and wait to be started again. */
export const crashedStatus = (
  { pod, nowMs }: Pick<StatusInput, 'pod' | 'nowMs'>,
  exitCode: number,
  pauseMs: number,
) => {
  const containers = pod.spec.containers ?? []
  const unready = `containers with unready status: [${namesOf(containers)}]`
  return {
    phase: 'Running',
    conditions: ['Ready', 'ContainersReady'].map((type) =>
      condition(type, false, nowMs, 'ContainersNotReady', unready),
    ),
    containerStatuses: containers.map((container) => ({
      ...containerIdentity(pod, container),
      ready: false,
      started: false,
      restartCount: restartsOf(pod),
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: `back-off ${pauseMs / 1000}s restarting failed container=${container.name} pod=${pod.metadata.name}`,
        },
      },
      lastState: { terminated: failure(pod, exitCode, nowMs) },
    })),
  }
}

/** All containers run once more. */
export const restartedStatus = ({ pod, nowMs }: Pick<StatusInput, 'pod' | 'nowMs'>, exitCode: number) => ({
  phase: 'Running',
  conditions: ['Ready', 'ContainersReady'].map((type) => condition(type, true, nowMs)),
  containerStatuses: (pod.spec.containers ?? []).map((container, index) => ({
    ...containerIdentity(pod, container),
    ready: true,
    started: true,
    restartCount: restartsOf(pod) + 1,
    state: { running: { startedAt: timeText(nowMs) } },
    lastState: pod.status?.containerStatuses?.[index]?.lastState ?? { terminated: failure(pod, exitCode, nowMs) },
  })),
})

const failure = (pod: PodObject, exitCode: number, nowMs: number) => ({
  exitCode,
  reason: 'Error',
  startedAt: pod.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? pod.status?.startTime ?? timeText(nowMs),
  finishedAt: timeText(nowMs),
})

/** All containers ended, well with the exit code 0. */
export const endedStatus = ({ pod, nowMs }: Pick<StatusInput, 'pod' | 'nowMs'>, exitCode: number) => {
  const startedAt = pod.status?.startTime ?? timeText(nowMs)
  const isWell = exitCode === 0
  return {
    phase: isWell ? 'Succeeded' : 'Failed',
    conditions: ['Initialized', 'Ready', 'ContainersReady'].map((type) =>
      condition(type, type === 'Initialized', nowMs, isWell ? 'PodCompleted' : 'PodFailed'),
    ),
    containerStatuses: (pod.spec.containers ?? []).map((container) => ({
      ...containerIdentity(pod, container),
      ready: false,
      started: false,
      restartCount: restartsOf(pod),
      state: {
        terminated: { exitCode, reason: isWell ? 'Completed' : 'Error', startedAt, finishedAt: timeText(nowMs) },
      },
    })),
  }
}

const containerIdentity = (pod: PodObject, { name, image = '' }: Container) => ({
  name,
  image,
  imageID: `sim://${image}`,
  containerID: `sim://${pod.metadata.uid}/${name}`,
})
