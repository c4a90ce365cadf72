import {
  expandTypePatterns,
  newestPodOf,
  providerIdOf,
  stateNodeOf,
  type ClaimState,
  type CSINodeObject,
  type InstanceType,
  type LabelRules,
  type NodeClassReference,
  type NodePool,
  type NodeState,
  type PlanningSettings,
  type Pod,
  type PodObject,
  type Snapshot,
  type StateNode,
} from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import type { Caches } from '../cache/index.ts'
import type { BufferCell } from './buffer-cell.ts'
import type { DomainViews } from './domain-views.ts'
import { makeLaunchRoom, type LaunchRoom } from './launch-room.ts'
import { makeMovedCell, type MovedCell } from './moved-cell.ts'
import { countChanges } from './revision.ts'
import type { SpreadCell } from './spread-cell.ts'

/**
 * The cluster as the caches see it, with what this process alone knows: which pods wait for which claim, which nodes
 * pods were promised, and which machines are about to go.
 *
 * What it alone knows is a hint: losing it in a restart costs a pass, never a machine.
 */
export interface ClusterState {
  readonly labelRules: LabelRules
  readonly settings: PlanningSettings
  /**
   * Reads objects that no snapshot has seen, in pieces: what then takes a snapshot finds them read.
   *
   * A large cluster takes most of a second to read for the first time, which is too long to do at once.
   */
  readonly readAhead: () => Generator<void, void, void>
  /** The input of planners, now. Cost: O(objects); no object is read twice. */
  readonly snapshot: (instanceTypes: ReadonlyMap<string, ReadonlyArray<InstanceType>>) => Snapshot
  readonly nodePools: () => ReadonlyArray<NodePool>
  /**
   * Machines, each joined anew only when something of it has changed: an equal machine is the same object.
   *
   * Cost: O(nodes), and O(pods) of those that changed. Nothing that runs every few seconds may walk the pods of all.
   */
  readonly nodes: () => ReadonlyArray<StateNode>
  /** Pods bound to a Node; the same list until one of them changes. */
  readonly podsOn: (node: string) => ReadonlyArray<Pod>
  /**
   * Claims that block planning, because planning around them could buy twice or beyond a limit (P-CST-01): those whose
   * machine is being launched just now, and those without one of which it is not known for which pods they were made
   * (they are from before a restart). A launch that has failed and is tried again holds up its own pods only.
   */
  readonly unaccountedClaims: () => ReadonlyArray<string>
  /** Pods wait for this claim, which has no machine yet; passes leave them out until it has one or is gone. */
  readonly assign: (claim: string, pods: ReadonlyArray<Pod>) => void
  readonly unassign: (claim: string) => void
  /** Pods were promised this node; disruption leaves it alone for a while (P-CST-06). */
  readonly nominate: (node: string) => void
  readonly markForDeletion: (claim: string) => void
  readonly unmark: (claim: string) => void
  readonly isMarked: (claim: string) => boolean
  /** What limits of NodePools leave for launches. */
  readonly room: LaunchRoom
  readonly moved: MovedCell
  /**
   * Grows whenever something changes that a decision to consolidate could hang on: pods, nodes, claims, NodePools,
   * PodDisruptionBudgets, promises to pods (D-LOOP-12). Prices and the time of day are not among them.
   */
  readonly revision: () => number
}

export interface ClusterStateOptions {
  readonly clock: Clock
  readonly caches: Caches
  readonly views: DomainViews
  readonly supportsNodeClass: (nodeClass: NodeClassReference) => boolean
  readonly labelRules: LabelRules
  readonly settings: PlanningSettings
  readonly batchMaxDurationMs: number
  /** What is absent is switched off. */
  readonly features?: { readonly buffers?: BufferCell; readonly spread?: SpreadCell }
}

const shortestNominationMs = 10_000
const podsReadAtOnce = 50

export const makeClusterState = (options: ClusterStateOptions): ClusterState => {
  const { clock, caches, views, supportsNodeClass, labelRules, settings } = options
  const { buffers, spread } = options.features ?? {}
  // By claim: UIDs of the pods it was made for. An entry goes when the claim has a machine or is gone.
  const assigned = new Map<string, ReadonlySet<string>>()
  const nominatedUntilMs = new Map<string, number>()
  const marked = new Set<string>()
  const nominationMs = Math.max(2 * options.batchMaxDurationMs, shortestNominationMs)

  caches.nodeClaims.onChange((change) => {
    if (change._tag === 'Deleted') {
      assigned.delete(change.key)
      marked.delete(change.key)
    } else if (change.current.status.providerID !== undefined) assigned.delete(change.key)
  })

  const podsOn = followPodsOn(caches, views)
  // By what joined it last; an object is replaced when it changes.
  const joinedBy = new WeakMap<NodeState | ClaimState, Joined>()

  const join = (providerId: string, node: NodeState | undefined, claim: ClaimState | undefined): StateNode => {
    const key = node ?? claim
    const parts = partsOf(node, claim)
    const known = key && joinedBy.get(key)
    if (known !== undefined && isSame(known.parts, parts)) return known.made
    const made = makeJoined(providerId, parts)
    if (key !== undefined) joinedBy.set(key, { parts, made })
    return made
  }

  const partsOf = (node: NodeState | undefined, claim: ClaimState | undefined): Parts => {
    // Plans call it by its claim's name until it has registered; what they said of it then still holds.
    const names = [node?.name, claim?.name].filter((name) => name !== undefined)
    const nominated = latest(names.map((name) => nominatedUntilMs.get(name)))
    return {
      node,
      claim,
      pods: node === undefined ? noPods : podsOn(node.name),
      csiNode: node && caches.csiNodes.get(node.name),
      isMarked: claim !== undefined && marked.has(claim.name),
      nominatedUntilMs: nominated,
      bufferPods: latest(names.map((name) => buffers?.podsOn(name))) ?? 0,
    }
  }

  const nodes = (): ReadonlyArray<StateNode> => {
    const states: Array<StateNode> = []
    const joined = new Set<string>()
    for (const object of caches.nodes.values()) {
      const providerId = providerIdOf(object)
      if (providerId === undefined) continue
      const claimObject = caches.nodeClaims.by('byProviderId', providerId)[0]
      const isOurs = claimObject !== undefined && supportsNodeClass(claimObject.spec.nodeClassRef)
      joined.add(providerId)
      states.push(join(providerId, views.node(object), isOurs ? views.claim(claimObject) : undefined))
    }
    for (const object of caches.nodeClaims.values()) {
      const { providerID } = object.status
      if (providerID === undefined || joined.has(providerID) || !supportsNodeClass(object.spec.nodeClassRef)) continue
      states.push(join(providerID, undefined, views.claim(object)))
    }
    return states
  }

  const nodePools = () => [...caches.nodePools.values()].map(views.nodePool)

  const isMarked = (claim: string) => marked.has(claim)
  const room = makeLaunchRoom({ caches, views, isMarked })
  const changes = countChanges(caches)
  const dropElapsed = (nowMs: number) => {
    for (const [name, untilMs] of nominatedUntilMs) {
      if (untilMs > nowMs) continue
      nominatedUntilMs.delete(name)
      changes.add()
    }
  }

  return {
    labelRules,
    settings,
    nodePools,
    nodes,
    podsOn,
    *readAhead() {
      let read = 0
      for (const object of caches.pods.values()) {
        views.pod(object)
        read += 1
        if (read % podsReadAtOnce === 0) yield
      }
    },
    snapshot: (instanceTypes) => {
      const nowMs = clock.nowMs()
      dropElapsed(nowMs)
      const waiting = new Set<string>()
      for (const uids of assigned.values()) for (const uid of uids) waiting.add(uid)
      const spreadPod = spread?.spread ?? ((pod: Pod) => pod)
      const unbound = buffers === undefined ? podsOn('') : [...podsOn(''), ...buffers.pods()]
      return {
        nowMs,
        settings,
        labelRules,
        nodePools: nodePools().map((pool) => {
          const types = instanceTypes.get(pool.name)
          return types === undefined ? pool : expandTypePatterns(pool, types).nodePool
        }),
        instanceTypes,
        nodes: (spread === undefined
          ? nodes()
          : nodes().map((node) => ({ ...node, pods: node.pods.map(spreadPod) }))
        ).map((node) => withoutWaiting(node, waiting)),
        pods: unbound.filter(({ uid }) => !waiting.has(uid)).map(spreadPod),
        daemonSets: daemonSetsOf(caches, views),
        podDisruptionBudgets: [...caches.podDisruptionBudgets.values()].map(views.podDisruptionBudget),
        namespaces: new Map([...caches.namespaces.values()].map(({ metadata }) => [metadata.name, metadata.labels])),
        volumes: {
          claims: new Map(
            [...caches.persistentVolumeClaims.values()].map((object) => [
              `${object.metadata.namespace}/${object.metadata.name}`,
              views.volumeClaim(object),
            ]),
          ),
          persistentVolumes: byName(caches.persistentVolumes.values(), views.persistentVolume),
          storageClasses: byName(caches.storageClasses.values(), views.storageClass),
        },
      }
    },
    unaccountedClaims: () =>
      [...caches.nodeClaims.values()].flatMap(({ metadata, spec, status }) =>
        status.providerID === undefined &&
        metadata.deletionTimestamp === undefined &&
        !(assigned.has(metadata.name) && status.conditions.some(({ type }) => type === 'Launched')) &&
        supportsNodeClass(spec.nodeClassRef)
          ? [metadata.name]
          : [],
      ),
    unassign: (claim) => void assigned.delete(claim),
    assign: (claim, pods) => void assigned.set(claim, new Set(pods.map(({ uid }) => uid))),
    nominate: (node) => void nominatedUntilMs.set(node, clock.nowMs() + nominationMs),
    markForDeletion: (claim) => {
      marked.add(claim)
      changes.add()
    },
    unmark: (claim) => {
      if (marked.delete(claim)) changes.add()
    },
    isMarked,
    room,
    moved: makeMovedCell(clock),
    revision: () => {
      dropElapsed(clock.nowMs())
      return changes.count()
    },
  }
}

/** All that a machine is joined from. */
interface Parts {
  readonly node: NodeState | undefined
  readonly claim: ClaimState | undefined
  readonly pods: ReadonlyArray<Pod>
  readonly csiNode: CSINodeObject | undefined
  readonly isMarked: boolean
  readonly nominatedUntilMs: number | undefined
  readonly bufferPods: number
}

interface Joined {
  readonly parts: Parts
  readonly made: StateNode
}

const isSame = (a: Parts, b: Parts): boolean =>
  a.node === b.node &&
  a.claim === b.claim &&
  a.pods === b.pods &&
  a.csiNode === b.csiNode &&
  a.isMarked === b.isMarked &&
  a.nominatedUntilMs === b.nominatedUntilMs &&
  a.bufferPods === b.bufferPods

const makeJoined = (providerId: string, parts: Parts): StateNode => {
  const { node, claim, pods, csiNode, isMarked, nominatedUntilMs, bufferPods } = parts
  const joined = stateNodeOf({
    providerId,
    ...(node === undefined ? {} : { node }),
    ...(claim === undefined ? {} : { claim }),
    pods,
    ...(csiNode === undefined ? {} : { csiNode }),
    isMarked,
    ...(nominatedUntilMs === undefined ? {} : { nominatedUntilMs }),
  })
  return bufferPods === 0 ? joined : { ...joined, bufferPods }
}

const noPods: ReadonlyArray<Pod> = []

// Lists are made when they are asked for, and forgotten when a pod of theirs changes.
const followPodsOn = ({ pods }: Caches, views: DomainViews): ((node: string) => ReadonlyArray<Pod>) => {
  const lists = new Map<string, ReadonlyArray<Pod>>()
  pods.onChange((change) => {
    if (change._tag !== 'Added') lists.delete(change.previous.spec.nodeName ?? '')
    if (change._tag !== 'Deleted') lists.delete(change.current.spec.nodeName ?? '')
  })
  return (node) => {
    const known = lists.get(node)
    if (known !== undefined) return known
    const made = pods.by('byNode', node).map(views.pod)
    // Of a node without pods no change would tell.
    if (made.length === 0) return noPods
    lists.set(node, made)
    return made
  }
}

// Pods on a node that goes have a place to wait for while their replacement is launched: no second is bought for them.
const withoutWaiting = (node: StateNode, waiting: ReadonlySet<string>): StateNode =>
  node.isMarkedForDeletion && node.pods.some(({ uid }) => waiting.has(uid))
    ? { ...node, pods: node.pods.filter(({ uid }) => !waiting.has(uid)) }
    : node

const latest = (numbers: ReadonlyArray<number | undefined>): number | undefined => {
  const known = numbers.filter((each) => each !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

const byName = <A extends { readonly metadata: { readonly name: string } }, B>(
  objects: Iterable<A>,
  convert: (object: A) => B,
): ReadonlyMap<string, B> => {
  const made = new Map<string, B>()
  for (const object of objects) made.set(object.metadata.name, convert(object))
  return made
}

// One walk over the pods serves all DaemonSets.
const daemonSetsOf = (caches: Caches, views: DomainViews) => {
  if (caches.daemonSets.size() === 0) return []
  const byOwner = new Map<string, Array<PodObject>>()
  for (const pod of caches.pods.values()) {
    const owner = pod.metadata.ownerReferences.find(
      ({ controller, kind }) => controller === true && kind === 'DaemonSet',
    )
    if (owner === undefined) continue
    const pods = byOwner.get(owner.uid)
    if (pods === undefined) byOwner.set(owner.uid, [pod])
    else pods.push(pod)
  }
  return [...caches.daemonSets.values()].map((object) =>
    views.daemonSet(object, newestPodOf(object, byOwner.get(object.metadata.uid) ?? [])),
  )
}
