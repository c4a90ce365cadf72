import type { Bench, Body } from './contract-api.ts'

export const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
  data: { a: '1' },
})
export const maps = ({ namespace }: Bench) => `/api/v1/namespaces/${namespace}/configmaps`
export const pods = ({ namespace }: Bench) => `/api/v1/namespaces/${namespace}/pods`
export const deployments = ({ namespace }: Bench) => `/apis/apps/v1/namespaces/${namespace}/deployments`
export const budgets = ({ namespace }: Bench) => `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`
export const pod = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'web' } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'pause' }], ...spec },
})
export const deployment = (name: string, replicas: number, podSpec: object = {}, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'pause' }], ...podSpec },
    },
    ...more,
  },
})
export const names = ({ items }: Body): ReadonlyArray<string> => items.map(({ metadata }) => metadata.name)

/** A Node of the bench's own, whose pods run; gives its name. */
export const makeNode = async (bench: Bench): Promise<string> => {
  const name = `node-of-${bench.namespace}`
  const amounts = { cpu: '4', memory: '4Gi', pods: '100' }
  await bench.post('/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kwok.x-k8s.io/node': 'fake' }, annotations: { 'kwok.x-k8s.io/node': 'fake' } },
    status: { capacity: amounts, allocatable: amounts },
  })
  return name
}

/** The part of a pod's spec that puts it on one node, whatever its state, and lets it go at once. */
export const onNode = (nodeName: string) => ({
  nodeName,
  tolerations: [{ operator: 'Exists' }],
  terminationGracePeriodSeconds: 0,
})

/** The part of a pod's spec that leaves it without a node. */
export const nobody = { schedulerName: 'nobody', terminationGracePeriodSeconds: 0 }

/** Fields of a status, absent ones as 0. */
export const countsOf = ({ status }: Body, fields: ReadonlyArray<string>) => fields.map((field) => status[field] ?? 0)
export const untilCounts = (bench: Bench, path: string, counts: Readonly<Record<string, number>>) =>
  bench.until(`${path} has ${JSON.stringify(counts)}`, async () => {
    const { body } = await bench.get(path)
    return JSON.stringify(countsOf(body, Object.keys(counts))) === JSON.stringify(Object.values(counts))
  })
