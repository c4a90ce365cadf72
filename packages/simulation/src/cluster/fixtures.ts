import { kinds, type SeenEvent } from './kinds.ts'
import type { VirtualCluster } from './virtual-cluster.ts'

type Reached = Pick<VirtualCluster, 'face'>
type Listed = Pick<VirtualCluster, 'all'>

/** What a NodePool states beside the least that it must; `spec` and `template` are laid over the pool's and its template's spec. */
export interface PoolChanges {
  readonly name?: string
  readonly annotations?: Readonly<Record<string, string>>
  /** Of its nodes. */
  readonly labels?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
  readonly template?: Readonly<Record<string, unknown>>
}

/** A NodePool that launches anything on demand and lets empty nodes go after 30 s. */
export const applyNodePool = (
  { face }: Reached,
  /** By default that which is called `default`. */
  nodeClass: { readonly group: string; readonly kind: string; readonly name?: string },
  { name = 'default', annotations = {}, labels = {}, spec = {}, template = {} }: PoolChanges = {},
) =>
  face.create(kinds.nodePools, {
    metadata: { name, annotations },
    spec: {
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '30s', budgets: [{ nodes: '100%' }] },
      ...spec,
      template: {
        metadata: { labels },
        spec: {
          nodeClassRef: { name: 'default', ...nodeClass },
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
          ...template,
        },
      },
    },
  })

/** A NodeClass of the simulated cloud and a NodePool of it. */
export const applyDefaults = async (
  cluster: Reached,
  spec: Record<string, unknown> = {},
  template: Record<string, unknown> = {},
) => {
  await cluster.face.create(kinds.nodeClasses, { metadata: { name: 'default' }, spec: {} })
  await applyNodePool(cluster, { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass' }, { spec, template })
}

export const applyDeployment = (
  { face }: Reached,
  name: string,
  replicas: number,
  cpu: string,
  more: Record<string, unknown> = {},
  annotations: Record<string, string> = {},
) =>
  face.create(
    { ...kinds.deployments, namespace: 'default' },
    {
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name }, annotations },
          spec: { containers: [{ name: 'main', image: 'pause', resources: { requests: { cpu } } }], ...more },
        },
      },
    },
  )

export const scale = ({ face }: Reached, name: string, replicas: number) =>
  face.patch({ ...kinds.deployments, namespace: 'default', name }, 'merge', { spec: { replicas } })

/** How many pods run, of one deployment or of all. */
export const runningPods = async (cluster: Listed, app?: string): Promise<number> =>
  (await cluster.all(kinds.pods)).filter(
    ({ status, metadata }) => status.phase === 'Running' && (app === undefined || metadata.labels?.['app'] === app),
  ).length

/** Lets time pass until so many pods run, of one deployment or of all. */
export const untilRunning = (
  cluster: Pick<VirtualCluster, 'all' | 'until'>,
  pods: number,
  { app, withinMs }: { readonly app?: string; readonly withinMs?: number } = {},
): Promise<void> =>
  cluster.until(
    `${pods} pods${app === undefined ? '' : ` of ${app}`} run`,
    async () => (await runningPods(cluster, app)) === pods,
    withinMs,
  )

/** The Events of this kind of object and this reason; either may be left out. */
export const eventsOf = async (
  cluster: Listed,
  { kind, reason }: { readonly kind?: string; readonly reason?: string } = {},
): Promise<ReadonlyArray<SeenEvent>> =>
  ((await cluster.all(kinds.events)) as unknown as ReadonlyArray<SeenEvent>).filter(
    (event) =>
      (kind === undefined || event.involvedObject.kind === kind) && (reason === undefined || event.reason === reason),
  )
