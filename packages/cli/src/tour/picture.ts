import type { Caches, DomainViews } from '@scantling/controller'
import {
  Conditions,
  labelKeys,
  Offerings,
  Pods,
  Quantity,
  Resources,
  type InstanceType,
  type Labels,
  type Pod,
  type ResourceList,
} from '@scantling/core'

/** What the screen shows of one machine. */
export interface MachineRow {
  readonly name: string
  readonly nodePool: string
  readonly instanceType: string
  readonly capacityType: string
  readonly zone: string
  /** **Units**: dollars per hour; absent where the catalogue does not say. */
  readonly pricePerHour?: number
  readonly stage: 'launching' | 'starting' | 'ready' | 'leaving'
  /** Shares of allocatable that pods request, 0 to 1. */
  readonly cpu: number
  readonly memory: number
  readonly pods: number
}

/** The cluster at one moment, for people. */
export interface Picture {
  readonly machines: ReadonlyArray<MachineRow>
  readonly pods: {
    readonly pending: number
    readonly starting: number
    readonly running: number
    readonly leaving: number
  }
  readonly pricePerHour: number
}

/** Takes a picture from the caches. Cost: O(pods + machines). */
export const takePicture = (caches: Caches, views: DomainViews, types: ReadonlyMap<string, InstanceType>): Picture => {
  const counts = { pending: 0, starting: 0, running: 0, leaving: 0 }
  for (const object of caches.pods.values()) {
    const pod = views.pod(object)
    if (!Pods.isOwnedByDaemonSet(pod)) counts[stageOfPod(pod)] += 1
  }
  const machines: Array<MachineRow> = []
  for (const object of caches.nodeClaims.values()) {
    const claim = views.claim(object)
    const nodeObject = claim.providerId === undefined ? undefined : caches.nodes.by('byProviderId', claim.providerId)[0]
    const pods = nodeObject === undefined ? [] : caches.pods.by('byNode', nodeObject.metadata.name).map(views.pod)
    const requests = Resources.add(...pods.filter((pod) => !Pods.isTerminal(pod)).map((pod) => pod.requests))
    const pricePerHour = priceOf(claim.labels, types)
    const isLeaving = claim.deletionTimestampMs !== undefined
    machines.push({
      name: nodeObject?.metadata.name ?? claim.name,
      nodePool: claim.labels[labelKeys.nodePool] ?? '',
      instanceType: claim.labels[labelKeys.instanceType] ?? '?',
      capacityType: claim.labels[labelKeys.capacityType] ?? '?',
      zone: claim.labels[labelKeys.zone] ?? '?',
      ...(pricePerHour === undefined ? {} : { pricePerHour }),
      stage: isLeaving
        ? 'leaving'
        : Conditions.isTrue(claim.conditions, 'Initialized')
          ? 'ready'
          : nodeObject === undefined
            ? 'launching'
            : 'starting',
      cpu: share(requests, claim.allocatable, 'cpu'),
      memory: share(requests, claim.allocatable, 'memory'),
      pods: pods.filter((pod) => !Pods.isOwnedByDaemonSet(pod)).length,
    })
  }
  machines.sort((a, b) => (a.nodePool < b.nodePool ? -1 : a.nodePool > b.nodePool ? 1 : a.name < b.name ? -1 : 1))
  return { machines, pods: counts, pricePerHour: machines.reduce((sum, { pricePerHour = 0 }) => sum + pricePerHour, 0) }
}

const stageOfPod = (pod: Pod): keyof Picture['pods'] =>
  Pods.isTerminating(pod) ? 'leaving' : pod.nodeName === undefined ? 'pending' : pod.isReady ? 'running' : 'starting'

const share = (requests: ResourceList, allocatable: ResourceList, resource: string): number => {
  const total = Quantity.toNumber(Resources.get(allocatable, resource))
  return total === 0 ? 0 : Quantity.toNumber(Resources.get(requests, resource)) / total
}

const priceOf = (labels: Labels, types: ReadonlyMap<string, InstanceType>): number | undefined => {
  const type = types.get(labels[labelKeys.instanceType] ?? '')
  const zone = labels[labelKeys.zone]
  const capacityType = labels[labelKeys.capacityType]
  if (type === undefined || zone === undefined || capacityType === undefined) return undefined
  return Offerings.offeringIn(type, { zone, capacityType })?.pricePerHour
}
