import { refTo } from '../../face.ts'
import { queueOf, type Cluster, type Running } from '../cluster.ts'
import { findCondition, timeText } from '../conditions.ts'
import type { LeaseObject, NodeObject, PodObject } from '../objects.ts'
import { isActive, isReady } from '../pod-state.ts'
import { refs } from '../refs.ts'
import { unlessGone } from '../status-error.ts'
import { updatedTaints } from './condition-taints.ts'
import { startTaintEviction } from './taint-eviction.ts'

export interface NodeLifecycleOptions {
  /** How often heartbeats are looked at. Default: 5 s. */
  readonly periodMs?: number
  /** Without a heartbeat for this long a node's state is unknown. Default: 40 s. */
  readonly gracePeriodMs?: number
  /** The same for a node that has never reported. Default: 60 s. */
  readonly startupGracePeriodMs?: number
}

interface Pulse {
  readonly uid: string
  lease: string | undefined
  heartbeat: string | undefined
  atMs: number
}

const leaseNamespace = 'kube-node-lease'
const conditionTypes = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

/**
 * Watches the heartbeats of nodes, taints nodes by their conditions and evicts pods by NoExecute taints.
 *
 * A heartbeat is any change of the node's Lease or of its Ready condition's heartbeat time, timed by this controller's clock.
 * Source: https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
 */
export const startNodeLifecycle = (cluster: Cluster, options: NodeLifecycleOptions = {}): Running => {
  const { face, clock, agenda, informers, events } = cluster
  const { periodMs = 5000, gracePeriodMs = 40_000, startupGracePeriodMs = 60_000 } = options
  const nodes = face.peek<NodeObject>('', 'nodes')
  const leases = face.peek<LeaseObject>('coordination.k8s.io', 'leases')
  const pods = face.peek<PodObject>('', 'pods')
  const pulses = new Map<string, Pulse>()
  let isStopped = false

  /** Notes the node's latest heartbeat and tells whether it came too long ago. */
  const isSilent = (node: NodeObject): boolean => {
    const { name, uid } = node.metadata
    const nowMs = clock.nowMs()
    const lease = leases.get(name, leaseNamespace)?.spec?.renewTime
    const ready = findCondition(node.status?.conditions, 'Ready')
    const heartbeat = ready?.lastHeartbeatTime
    const known = pulses.get(name)
    if (known === undefined || known.uid !== uid) {
      pulses.set(name, { uid, lease, heartbeat, atMs: nowMs })
      return false
    }
    if (known.lease !== lease || known.heartbeat !== heartbeat) Object.assign(known, { lease, heartbeat, atMs: nowMs })
    return nowMs - known.atMs > (ready === undefined ? startupGracePeriodMs : gracePeriodMs)
  }

  const reconcile = async (name: string) => {
    const node = nodes.get(name)
    if (node === undefined) return void pulses.delete(name)
    if (isSilent(node) && findCondition(node.status?.conditions, 'Ready')?.status !== 'Unknown') {
      await markUnknown(node)
    }
    const present = nodes.get(name)
    if (present === undefined) return
    const taints = updatedTaints(present, timeText(clock.nowMs()))
    if (taints !== undefined) {
      // The version guards taints that others write at the same time; a conflict brings the node back.
      const metadata = { resourceVersion: present.metadata.resourceVersion }
      await unlessGone(face.patch(refTo(refs.nodes, present), 'merge', { metadata, spec: { taints } }))
    }
    const ready = findCondition(present.status?.conditions, 'Ready')?.status
    if (ready !== undefined && ready !== 'True') await markPodsUnready(present)
  }

  const markUnknown = async (node: NodeObject) => {
    const nowText = timeText(clock.nowMs())
    const conditions = conditionTypes.map((type) => {
      const before = findCondition(node.status?.conditions, type)
      return {
        type,
        status: 'Unknown',
        reason: before === undefined ? 'NodeStatusNeverUpdated' : 'NodeStatusUnknown',
        message: before === undefined ? 'Kubelet never posted node status.' : 'Kubelet stopped posting node status.',
        lastHeartbeatTime: before?.lastHeartbeatTime ?? node.metadata.creationTimestamp,
        lastTransitionTime: nowText,
      }
    })
    // This write is not a heartbeat: the times above are those of the last one.
    await unlessGone(face.patch(refTo(refs.nodes, node, 'status'), 'strategic', { status: { conditions } }))
    const { name } = node.metadata
    events.record(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`, 'node-controller')
  }

  const markPodsUnready = async (node: NodeObject) => {
    for (const pod of pods.onNode(node.metadata.name)) {
      if (!isActive(pod) || !isReady(pod)) continue
      const lastTransitionTime = timeText(clock.nowMs())
      const condition = { type: 'Ready', status: 'False', reason: 'NodeNotReady', lastTransitionTime }
      const status = { conditions: [condition] }
      await unlessGone(face.patch(refTo(refs.pods, pod, 'status'), 'strategic', { status }))
    }
  }

  const queue = queueOf(cluster, 'node-lifecycle', reconcile)
  const eviction = startTaintEviction(cluster)
  informers.on<NodeObject>(refs.nodes, ({ type, object }) => {
    const { name } = object.metadata
    if (type === 'DELETED') pulses.delete(name)
    else if (type === 'ADDED' || updatedTaints(object, '') !== undefined || !isNodeReady(object)) queue.add(name)
  })
  const monitor = () => {
    if (isStopped) return
    for (const node of nodes.values()) if (isSilent(node) && hasNews(node)) queue.add(node.metadata.name)
    agenda.after(periodMs, monitor)
  }
  agenda.after(periodMs, monitor)
  return {
    stop: async () => {
      isStopped = true
      await Promise.all([queue.stop(), eviction.stop()])
    },
  }
}

const isNodeReady = (node: NodeObject) => findCondition(node.status?.conditions, 'Ready')?.status === 'True'

const hasNews = (node: NodeObject) => findCondition(node.status?.conditions, 'Ready')?.status !== 'Unknown'
