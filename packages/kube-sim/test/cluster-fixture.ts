import { virtualClock, type VirtualClock } from '@scantling/provider-kit'

import { startControllers, type ControllersOptions } from '../src/controllers/index.ts'
import type {
  AmountsByResource,
  DeploymentObject,
  NodeObject,
  PodObject,
  PodSpec,
  Taint,
} from '../src/controllers/objects.ts'
import { refs } from '../src/controllers/refs.ts'
import type { DraftObject, Face } from '../src/face.ts'
import { createApiServer, type ApiServer } from '../src/server/api-server.ts'

/** An embedded cluster on virtual time, for tests of the controllers. */
export interface TestCluster {
  readonly clock: VirtualClock
  readonly server: ApiServer
  readonly face: Face
  readonly errors: ReadonlyArray<string>
  readonly stop: () => Promise<void>
  readonly addNode: (name: string, options?: NodeOptions) => Promise<NodeObject>
  readonly addPod: (name: string, spec?: PodSpec, metadata?: DraftObject['metadata']) => Promise<PodObject>
  readonly addDeployment: (
    name: string,
    replicas: number,
    options?: { readonly spec?: PodSpec; readonly more?: Record<string, unknown> },
  ) => Promise<DeploymentObject>
  readonly pod: (name: string) => PodObject
  readonly node: (name: string) => NodeObject
  readonly pods: () => ReadonlyArray<PodObject>
}

export interface NodeOptions {
  readonly labels?: Record<string, string>
  readonly taints?: ReadonlyArray<Taint>
  readonly allocatable?: AmountsByResource
  readonly unschedulable?: boolean
  readonly annotations?: Record<string, string>
}

const startMs = Date.UTC(2026, 0, 1)

export const oneContainer = (requests: AmountsByResource = {}): PodSpec => ({
  containers: [{ name: 'main', image: 'registry.example/pause', resources: { requests } }],
})

const withImages = (spec: PodSpec): PodSpec => {
  const complete = (list: PodSpec['containers'] = []) =>
    list.map((container) => ({ image: 'registry.example/pause', ...container }))
  return {
    ...spec,
    containers: complete(spec.containers),
    ...(spec.initContainers === undefined ? {} : { initContainers: complete(spec.initContainers) }),
  }
}

export const startTestCluster = (options: ControllersOptions = {}): TestCluster => {
  const clock = virtualClock(startMs)
  const server = createApiServer({ clock })
  const face = server.face('test')
  const errors: Array<string> = []
  const running = startControllers(server.face('controllers'), clock, {
    onError: (error, controller, key) => void errors.push(`${controller} ${key}: ${String(error)}`),
    ...options,
  })
  const pods = face.peek<PodObject>('', 'pods')
  const nodes = face.peek<NodeObject>('', 'nodes')
  const found = <T>(object: T | undefined, name: string): T => {
    if (object === undefined) throw new Error(`There is no ${name}`)
    return object
  }
  return {
    clock,
    server,
    face,
    errors,
    stop: running.stop,
    addNode: (name, { labels = {}, taints = [], allocatable = {}, unschedulable = false, annotations = {} } = {}) => {
      const amounts = { cpu: '4', memory: '16Gi', pods: '110', ...allocatable }
      return face.create<NodeObject>(refs.nodes, {
        metadata: {
          name,
          labels: { 'kubernetes.io/hostname': name, ...labels },
          annotations: { 'kwok.x-k8s.io/node': 'fake', ...annotations },
        },
        spec: { taints, ...(unschedulable ? { unschedulable } : {}) },
        status: {
          capacity: amounts,
          allocatable: amounts,
          addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
        },
      })
    },
    addPod: (name, spec = oneContainer(), metadata = {}) =>
      face.create<PodObject>(
        { ...refs.pods, namespace: 'default' },
        { metadata: { name, ...metadata }, spec: withImages({ ...oneContainer(), ...spec }) },
      ),
    addDeployment: (name, replicas, { spec = oneContainer(), more = {} } = {}) =>
      face.create<DeploymentObject>(
        { ...refs.deployments, namespace: 'default' },
        {
          metadata: { name },
          spec: {
            replicas,
            selector: { matchLabels: { app: name } },
            template: { metadata: { labels: { app: name } }, spec },
            ...more,
          },
        },
      ),
    pod: (name) => found(pods.get(name, 'default'), `pod ${name}`),
    node: (name) => found(nodes.get(name), `node ${name}`),
    pods: () => [...pods.values('default')],
  }
}

export const phaseCounts = (pods: ReadonlyArray<PodObject>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { status } of pods) counts[status?.phase ?? ''] = (counts[status?.phase ?? ''] ?? 0) + 1
  return counts
}

export const conditionOf = (object: PodObject | NodeObject | DeploymentObject, type: string) =>
  object.status?.conditions?.find((condition) => condition.type === type)
