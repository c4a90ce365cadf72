import { refTo } from '../face.ts'
import { forEachBounded } from './bounded.ts'
import { queueOf, type Cluster, type Running } from './cluster.ts'
import type { NamespaceObject } from './objects.ts'
import { keyOf } from './pod-state.ts'
import { refs } from './refs.ts'
import { unlessGone } from './status-error.ts'

// What a namespace is emptied of. Workloads first, so that nothing is made again.
const emptied = [
  refs.deployments,
  refs.daemonSets,
  refs.statefulSets,
  refs.replicaSets,
  refs.pods,
  refs.disruptionBudgets,
  refs.volumeClaims,
  refs.events,
  refs.leases,
]
const writesAtOnce = 32
const recheckMs = 500

/**
 * Empties namespaces that are being deleted, then lets them go.
 *
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/namespaces/#deleting-a-namespace
 * Differs from Kubernetes in knowing a fixed list of resources; others go with the namespace's storage or stay behind.
 */
export const startNamespaceDeletion = (cluster: Cluster): Running => {
  const { face, informers } = cluster
  const namespaces = face.peek<NamespaceObject>('', 'namespaces')

  const reconcile = async (name: string) => {
    const namespace = namespaces.get(name)
    if (namespace?.metadata.deletionTimestamp === undefined) return
    let left = 0
    for (const ref of emptied) {
      const objects = presentIn(ref.group, ref.plural, name)
      left += objects.length
      const asked = objects.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      await forEachBounded(asked, writesAtOnce, (object) => unlessGone(face.delete(refTo(ref, object))))
    }
    // Pods take their time to stop.
    if (left > 0) return queue.addAfter(name, recheckMs)
    const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== 'kubernetes')
    const body = { ...namespace, spec: { ...namespace.spec, finalizers } }
    await unlessGone(face.update(refTo(refs.namespaces, namespace, 'finalize'), body))
  }
  const presentIn = (group: string, plural: string, namespace: string) => {
    try {
      return [...face.peek(group, plural).values(namespace)]
    } catch {
      // A resource that this server does not serve has nothing to delete.
      return []
    }
  }
  const queue = queueOf(cluster, 'namespace-deletion', reconcile)
  informers.on<NamespaceObject>(refs.namespaces, ({ object }) => {
    if (object.metadata.deletionTimestamp !== undefined) queue.add(keyOf(object))
  })
  return { stop: queue.stop }
}
