import { kinds } from './kinds.ts'
import type { VirtualCluster } from './virtual-cluster.ts'

/** A NodeClass and a NodePool that launches anything and lets empty nodes go after 30 s. */
export const applyDefaults = async (
  cluster: VirtualCluster,
  spec: Record<string, unknown> = {},
  template: Record<string, unknown> = {},
) => {
  await cluster.face.create(kinds.nodeClasses, { metadata: { name: 'default' }, spec: {} })
  await cluster.face.create(kinds.nodePools, {
    metadata: { name: 'default' },
    spec: {
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '30s', budgets: [{ nodes: '100%' }] },
      ...spec,
      template: {
        spec: {
          nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
          ...template,
        },
      },
    },
  })
}

export const applyDeployment = (
  { face }: VirtualCluster,
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

export const scale = ({ face }: VirtualCluster, name: string, replicas: number) =>
  face.patch({ ...kinds.deployments, namespace: 'default', name }, 'merge', { spec: { replicas } })

/** How many pods run. */
export const runningPods = async (cluster: VirtualCluster): Promise<number> =>
  (await cluster.all(kinds.pods)).filter(({ status }) => status.phase === 'Running').length
