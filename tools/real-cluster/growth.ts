import { cpuSeconds, memoryMib, prepare, startContestant, type Contestant } from './contestant.ts'
import { nodeClass, nodePool, podTemplate } from './manifests.ts'
import { startTestCluster, type TestCluster } from './test-cluster.ts'

/** What a controller holds at rest beside so many pods. */
export interface AtRest {
  readonly pods: number
  readonly rssMib: number
  readonly peakRssMib: number
  readonly cpuS: number
}

export interface Growth {
  readonly contestant: Contestant
  readonly from: AtRest
  readonly to: AtRest
}

export const bytesPerPod = ({ from, to }: Growth): number =>
  ((to.rssMib - from.rssMib) * 1024 * 1024) / (to.pods - from.pods)

const podsPerNode = 100
const createdAtOnce = 20
const withinMs = 1_200_000
const settleMs = 60_000
const samples = 10

/**
 * What each further pod costs a controller: nodes and pods are made as they are to be, bound and running, so that the
 * control plane is the slow part and nothing is planned.
 */
export const measureGrowth = async (contestant: Contestant, from: number, to: number): Promise<Growth> => {
  const cluster = await startTestCluster()
  try {
    await prepare(cluster, contestant)
    await cluster.api.create(...Array.from({ length: Math.ceil(to / podsPerNode) }, (_, index) => node(index)))
    const { pid } = await startContestant(cluster, contestant)
    await cluster.api.apply(nodeClass, nodePool('default'))
    const atRest = async (pods: number): Promise<AtRest> => {
      const areRunning = async () => {
        await sleep(5000)
        return (await countRunning(cluster)) >= pods
      }
      await cluster.until(`${pods} pods run`, areRunning, withinMs)
      await sleep(settleMs)
      const seen: Array<number> = []
      for (let sample = 0; sample < samples; sample++) {
        seen.push(memoryMib(pid, 'VmRSS'))
        await sleep(1000)
      }
      const rssMib = seen.toSorted((a, b) => a - b)[samples / 2] ?? 0
      return { pods, rssMib, peakRssMib: memoryMib(pid, 'VmHWM'), cpuS: cpuSeconds(pid) }
    }
    await createPods(cluster, 0, from)
    const before = await atRest(from)
    await createPods(cluster, from, to)
    return { contestant, from: before, to: await atRest(to) }
  } finally {
    await cluster.stop()
  }
}

const sleep = (ms: number) => new Promise<void>((wake) => setTimeout(wake, ms))

const nodeName = (index: number) => `ready-made-${index}`

const node = (index: number) => {
  const resources = { cpu: '64', memory: '256Gi', pods: '110' }
  const name = nodeName(index)
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kwok.x-k8s.io/node': 'fake',
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'topology.kubernetes.io/zone': 'us-west-2a',
      },
    },
    status: { capacity: resources, allocatable: resources },
  }
}

const createPods = async ({ api }: TestCluster, from: number, to: number): Promise<void> => {
  let next = from
  const work = async () => {
    while (next < to) {
      const index = next++
      const { metadata, spec } = podTemplate('web', { requests: { cpu: '500m', memory: '512Mi' } })
      await api.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: `web-${index}`, namespace: 'default' },
        spec: { ...spec, nodeName: nodeName(Math.floor(index / podsPerNode)) },
      })
    }
  }
  await Promise.all(Array.from({ length: createdAtOnce }, work))
}

/** How many pods run, if all do; else 0. Counted by the server: the whole list would cost it more than controllers do. */
export const countRunning = async ({ api }: TestCluster): Promise<number> => {
  const { body } = await api.request(
    '/api/v1/namespaces/default/pods?limit=1&fieldSelector=status.phase%21%3DRunning&resourceVersion=0',
  )
  const all = await api.request('/api/v1/namespaces/default/pods?limit=1')
  const { items } = JSON.parse(body) as { readonly items: ReadonlyArray<unknown> }
  const { metadata } = JSON.parse(all.body) as { readonly metadata: { readonly remainingItemCount?: number } }
  return items.length === 0 ? (metadata.remainingItemCount ?? 0) + 1 : 0
}

export const renderGrowth = (growth: Growth): string => {
  const { contestant, from, to } = growth
  const side = ({ pods, rssMib, peakRssMib, cpuS }: AtRest) =>
    `${pods} pods ${rssMib.toFixed(1)} MiB (peak ${peakRssMib.toFixed(0)}, CPU ${cpuS.toFixed(1)} s)`
  return `${contestant}: RSS at ${side(from)}, at ${side(to)}: ${(bytesPerPod(growth) / 1024).toFixed(2)} KiB for each further pod`
}
