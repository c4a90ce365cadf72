import type { PodObject, PodSpecObject } from '../api/index.ts'
import { Resources, type Quantity, type ResourceList } from '../quantity/index.ts'

type Container = PodSpecObject['containers'][number]
type ContainerStatus = PodObject['status']['containerStatuses'][number]

/**
 * What the scheduler reserves for a pod, `pods: 1` included (P-RES-01).
 *
 * The larger of what runs together (containers and sidecars) and what the worst moment of initialization needs (an init
 * container beside the sidecars started before it); pod-level amounts replace the sum where they are given; the
 * runtime class's overhead comes on top. While a container is resized in place, what the kubelet still holds for it
 * counts: the largest of asked, actuated and allocated, or only the latter two once the resize is infeasible.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers,
 * KEP-753 (sidecars), KEP-1287 (resize), KEP-2837 (pod-level amounts).
 *
 * @example
 * import { podObject } from '@scantling/core/testing'
 * podRequests(podObject('web-0', { cpu: '500m', memory: '1Gi' })) // => { cpu: '500m', memory: '1Gi', pods: '1' }
 */
export const podRequests = ({ spec, status }: Pick<PodObject, 'spec' | 'status'>): ResourceList => {
  const statuses = new Map<string, ContainerStatus>()
  for (const one of status.containerStatuses) statuses.set(one.name, one)
  for (const one of status.initContainerStatuses) statuses.set(one.name, one)
  const isInfeasible = status.conditions.find(({ type }) => type === 'PodResizePending')?.reason === 'Infeasible'
  const requestsOf = ({ name, resources }: Container): ResourceList => {
    const held = statuses.get(name)
    if (held?.resources === undefined) return resources.requests
    return isInfeasible
      ? Resources.max(held.resources.requests, held.allocatedResources)
      : Resources.max(resources.requests, held.resources.requests, held.allocatedResources)
  }

  let running = Resources.add(...spec.containers.map(requestsOf))
  let sidecars = Resources.empty
  let initializing = Resources.empty
  for (const container of spec.initContainers) {
    if (container.restartPolicy === 'Always') {
      const requests = requestsOf(container)
      running = Resources.add(running, requests)
      sidecars = Resources.add(sidecars, requests)
    } else {
      initializing = Resources.max(initializing, Resources.add(container.resources.requests, sidecars))
    }
  }

  const total = Object.assign(Object.create(null) as Record<string, Quantity>, Resources.max(running, initializing))
  const podLevel = spec.resources?.requests ?? Resources.empty
  for (const name of Object.keys(podLevel)) {
    if (isPodLevelResource(name)) total[name] = Resources.get(podLevel, name)
  }
  return Resources.add(total, spec.overhead, onePod)
}

const onePod = Resources.parse({ pods: '1' })

const isPodLevelResource = (name: string) => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

/**
 * The spec with each container's limits standing in for requests it lacks (P-RES-05).
 *
 * The API server does this for pods as they are created, not for the templates of workloads.
 *
 * @example
 * import { podObject } from '@scantling/core/testing'
 * const { spec } = podObject(
 *   'web-0',
 *   {},
 *   { spec: { containers: [{ name: 'main', resources: { limits: { cpu: '1' } } }] } },
 * )
 * withLimitsAsRequests(spec).containers[0]?.resources.requests // => { cpu: '1' }
 */
export const withLimitsAsRequests = (spec: PodSpecObject): PodSpecObject => ({
  ...spec,
  containers: spec.containers.map(limitsAsRequests),
  initContainers: spec.initContainers.map(limitsAsRequests),
})

const limitsAsRequests = (container: Container): Container => {
  const { requests, limits } = container.resources
  if (Object.keys(limits).every((name) => Object.hasOwn(requests, name))) return container
  const filled = Object.assign(Object.create(null) as Record<string, Quantity>, limits, requests)
  return { ...container, resources: { ...container.resources, requests: filled } }
}
