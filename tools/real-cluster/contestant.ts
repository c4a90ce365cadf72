import { readFileSync } from 'node:fs'
import { readImage } from '../packaging/image.ts'
import type { Child } from './child.ts'
import type { TestCluster } from './test-cluster.ts'

/** Whose controller: ours, or the reference's own. */
export type Contestant = 'ours' | 'reference'

const namespace = 'karpenter'

/** As the audit log names it. */
export const userOf = (contestant: Contestant) => `system:serviceaccount:${namespace}:${contestant}`

/** An identity of its own, by which the audit log knows it; no right is missing. */
export const prepare = (cluster: TestCluster, contestant: Contestant): Promise<void> =>
  cluster.api.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: contestant, namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: contestant },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: contestant, namespace }],
    },
  )

export const startContestant = async (
  cluster: TestCluster,
  contestant: Contestant,
): Promise<Pick<Child, 'pid'> & { readonly metricsPort: number }> => {
  const kubeconfig = await cluster.kubeconfigOf(namespace, contestant)
  if (contestant === 'ours')
    return cluster.startController('ours', {
      kubeconfig,
      // As the image starts it.
      nodeFlags: readImage('kwok').entrypoint.slice(1, -1),
      flags: [
        '--leader-elect=false',
        '--instance-types-file-path=kwok',
        // The reference's machines join at once as well.
        '--kwok-latency=0',
        '--log-level=info',
      ],
    })
  return cluster.startReference(kubeconfig)
}

/** Its metric series, a line each. */
export const scrape = async (port: number): Promise<ReadonlyArray<string>> =>
  (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))

export const valuesOf = (metrics: ReadonlyArray<string>, start: string): ReadonlyArray<number> =>
  metrics.filter((line) => line.startsWith(start)).map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))

export const memoryMib = (pid: number, field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

const ticksPerSecond = 100

export const cpuSeconds = (pid: number): number => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold spaces; user and system time are the 14th and 15th fields of the line.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/**
 * How long the main thread ran, and how long it was ready to run and others had the cores; what a delay by the wall is
 * made of on a machine that is busy. In seconds.
 */
export const mainThread = (pid: number): { readonly ranS: number; readonly waitedS: number } => {
  const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number)
  return { ranS: ran / 1e9, waitedS: waited / 1e9 }
}
