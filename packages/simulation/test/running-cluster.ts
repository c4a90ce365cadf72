import { afterEach } from '@jest/globals'
import {
  applyDefaults,
  applyDeployment,
  eventsOf,
  isTrue,
  kinds,
  startVirtualCluster,
  untilRunning,
  type FateOf,
  type VirtualCluster,
  type VirtualClusterOptions,
} from '../src/index.ts'
import { endedAfter } from '../src/testing/index.ts'

const stopping = endedAfter(afterEach)

/** A cluster on virtual time, without a controller yet, that ends with its test. */
export const startCluster = async (options?: VirtualClusterOptions): Promise<VirtualCluster> =>
  stopping(await startVirtualCluster(options))

/** Of a NodePool that leaves its nodes alone, so that what is said of them can be seen before anything is done about it. */
export const keep = { disruption: { consolidateAfter: 'Never', budgets: [{ nodes: '0' }] } }

/** What a test begins with; what it leaves out is as everybody has it. */
export interface Beginning {
  /** Pods of the deployment `web`. Default: 1. */
  readonly replicas?: number
  /** Of each pod; five of the default fill the larger machine of the catalogue. */
  readonly cpu?: string
  /** Laid over the pods' spec. */
  readonly pod?: Readonly<Record<string, unknown>>
  /** Of the pods. */
  readonly annotations?: Readonly<Record<string, string>>
  /** Laid over the spec of the NodePool. */
  readonly pool?: Readonly<Record<string, unknown>>
  /** Laid over the spec of the NodePool's template. */
  readonly template?: Readonly<Record<string, unknown>>
  readonly flags?: ReadonlyArray<string>
  readonly fateOf?: FateOf
  readonly options?: VirtualClusterOptions
}

/** A cluster with a controller and one deployment, all of which runs on nodes that are initialized. */
export const startRunning = async ({
  replicas = 1,
  cpu = '3',
  pod = {},
  annotations = {},
  pool = {},
  template = {},
  flags = [],
  fateOf,
  options,
}: Beginning = {}) => {
  const cluster = await startCluster(options)
  const run = await cluster.startController(fateOf, flags)
  await applyDefaults(cluster, pool, template)
  await applyDeployment(cluster, 'web', replicas, cpu, pod, annotations)
  await untilRunning(cluster, replicas)
  await untilInitialized(cluster)
  return { cluster, run }
}

export const untilInitialized = (cluster: VirtualCluster): Promise<void> =>
  cluster.until('all nodes are initialized', async () =>
    (await cluster.all(kinds.nodeClaims)).every((claim) => isTrue(claim, 'Initialized')),
  )

/** The first claim; where there is one pod, it is the only one. */
export const claimOf = async (cluster: VirtualCluster) => (await cluster.all(kinds.nodeClaims))[0]
export const nodeOf = async (cluster: VirtualCluster) => (await cluster.all(kinds.nodes))[0]

/** The instance types of all nodes. */
export const typesOf = async (cluster: VirtualCluster) =>
  (await cluster.all(kinds.nodes)).map(({ metadata }) => metadata.labels?.['node.kubernetes.io/instance-type'])

/** Why objects of this kind were spoken of in Events. */
export const reasonsOn = async (cluster: VirtualCluster, kind: string) =>
  (await eventsOf(cluster, { kind })).map(({ reason }) => reason)

export const patchPool = (cluster: VirtualCluster, body: Record<string, unknown>) =>
  cluster.face.patch({ ...kinds.nodePools, name: 'default' }, 'merge', body)
export const patchTemplate = (cluster: VirtualCluster, template: Record<string, unknown>) =>
  patchPool(cluster, { spec: { template } })
