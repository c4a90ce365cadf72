import { refTo } from '../../face.ts'
import type { Cluster } from '../cluster.ts'
import { findCondition, microTimeText, timeText } from '../conditions.ts'
import type { LeaseObject, NodeObject } from '../objects.ts'
import { refs } from '../refs.ts'
import { isConflict, unlessGone } from '../status-error.ts'

const leaseNamespace = 'kube-node-lease'
const leaseSeconds = 40

/**
 * The conditions of a healthy node, keeping the time since which each holds.
 *
 * Source: https://kubernetes.io/docs/reference/node/node-status/#condition
 */
const healthyConditions = (node: NodeObject, nowMs: number) => {
  const nowText = timeText(nowMs)
  const healthy = [
    ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
  ] as const
  return healthy.map(([type, status, reason, message]) => {
    const before = findCondition(node.status?.conditions, type)
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? nowText) : nowText
    return { type, status, reason, message, lastHeartbeatTime: nowText, lastTransitionTime }
  })
}

/** Writes the node's conditions as a healthy kubelet does; capacity and allocatable stay as they were set. */
export const writeHealthyStatus = async ({ face, clock }: Cluster, node: NodeObject): Promise<void> => {
  const status = { conditions: healthyConditions(node, clock.nowMs()) }
  await unlessGone(face.patch(refTo(refs.nodes, node, 'status'), 'strategic', { status }))
}

/** Makes or renews the node's Lease, which the node lifecycle controller watches. */
export const renewLease = async ({ face, clock }: Cluster, node: NodeObject): Promise<void> => {
  const { name, uid } = node.metadata
  const ref = { ...refs.leases, namespace: leaseNamespace, name }
  const renewTime = microTimeText(clock.nowMs())
  if (face.peek<LeaseObject>('coordination.k8s.io', 'leases').get(name, leaseNamespace) !== undefined) {
    return unlessGone(face.patch(ref, 'merge', { spec: { renewTime } }))
  }
  try {
    await face.create(
      { ...refs.leases, namespace: leaseNamespace },
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          name,
          namespace: leaseNamespace,
          ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
        },
        spec: { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime },
      },
    )
  } catch (error) {
    if (!isConflict(error)) throw error
  }
}
