import { kinds, type SeenEvent } from './kinds.ts'
import type { VirtualCluster } from './virtual-cluster.ts'

type Reached = Pick<VirtualCluster, 'face'>
type Listed = Pick<VirtualCluster, 'all'>

/** What a NodePool states beside the least that it must; `spec` and `template` are laid over the pool's and its template's spec. */
export interface PoolChanges {
  readonly name?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
  readonly template?: Readonly<Record<string, unknown>>
}

/** A NodePool of the NodeClass `default` that launches anything on demand and lets empty nodes go after 30 s. */
export const applyNodePool = (
  { face }: Reached,
  nodeClass: { readonly group: string; readonly kind: string },
  { name = 'default', annotations = {}, spec = {}, template = {} }: PoolChanges = {},
) =>
  face.create(kinds.nodePools, {
    metadata: { name, annotations },
    spec: {
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '30s', budgets: [{ nodes: '100%' }] },
      ...spec,
      template: {
        spec: {
          nodeClassRef: { ...nodeClass, name: 'default' },
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

/** How many pods run. */
export const runningPods = async (cluster: Listed): Promise<number> =>
  (await cluster.all(kinds.pods)).filter(({ status }) => status.phase === 'Running').length

/** What was told of objects of this kind; of all without it. */
export const eventsOn = async (cluster: Listed, kind?: string): Promise<ReadonlyArray<SeenEvent>> =>
  ((await cluster.all(kinds.events)) as unknown as ReadonlyArray<SeenEvent>).filter(
    ({ involvedObject }) => kind === undefined || involvedObject.kind === kind,
  )
