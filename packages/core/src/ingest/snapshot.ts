import * as E from 'fp-ts/lib/Either.js'

import {
  decodeCSINode,
  decodeDaemonSet,
  decodeNamespace,
  decodeNode,
  decodeNodeClaim,
  decodeNodePool,
  decodePersistentVolume,
  decodePersistentVolumeClaim,
  decodePod,
  decodePodDisruptionBudget,
  decodeStorageClass,
  type CSINodeObject,
  type DaemonSetObject,
  type NamespaceObject,
  type NodeClaimObject,
  type NodeObject,
  type NodePoolObject,
  type PersistentVolumeClaimObject,
  type PersistentVolumeObject,
  type PodDisruptionBudgetObject,
  type PodObject,
  type StorageClassObject,
} from '../api/index.ts'
import type { LabelRules, NodePool, PlanningSettings, Pod, Snapshot } from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import type { Decoder, FieldErrors } from '../schema/index.ts'
import { ingestNodePool, type NodePoolContext } from './node-pool.ts'
import { ingestPod, makePodInterner } from './pod.ts'
import { joinStateNodes } from './state-node.ts'
import { ingestPersistentVolume, ingestStorageClass, ingestVolumeClaim } from './volumes.ts'
import { ingestDaemonSet, ingestPodDisruptionBudget, newestPodOf } from './workload.ts'

/** Decoded objects by kind, the input of a snapshot. */
export interface ObjectLists {
  readonly pods: ReadonlyArray<PodObject>
  readonly nodes: ReadonlyArray<NodeObject>
  readonly nodeClaims: ReadonlyArray<NodeClaimObject>
  readonly nodePools: ReadonlyArray<NodePoolObject>
  readonly daemonSets: ReadonlyArray<DaemonSetObject>
  readonly podDisruptionBudgets: ReadonlyArray<PodDisruptionBudgetObject>
  readonly namespaces: ReadonlyArray<NamespaceObject>
  readonly volumeClaims: ReadonlyArray<PersistentVolumeClaimObject>
  readonly persistentVolumes: ReadonlyArray<PersistentVolumeObject>
  readonly storageClasses: ReadonlyArray<StorageClassObject>
  readonly csiNodes: ReadonlyArray<CSINodeObject>
}

/** What a snapshot needs beside the objects. */
export interface SnapshotContext extends NodePoolContext {
  /** **Units**: milliseconds since the epoch. */
  readonly nowMs: number
  readonly settings: PlanningSettings
  readonly labelRules: LabelRules
  /** The types a NodePool may launch; `undefined` where that is not known (P-PRV-07). */
  readonly instanceTypes: (nodePool: NodePool) => ReadonlyArray<InstanceType> | undefined
}

/** An object that was refused: which one of the list, and why. */
export interface RefusedObject {
  readonly index: number
  readonly object: unknown
  readonly errors: FieldErrors
}

/**
 * Decodes objects and sorts them by kind. Kinds that planners do not read are passed over.
 *
 * Errors: an object that does not decode is left out and reported; the others count.
 *
 * @example
 * const { lists, refused } = decodeObjects([
 *   { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } },
 *   { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0' }, spec: { containers: 'none' } },
 * ])
 * lists.namespaces.length // => 1
 * refused.map(({ index }) => index) // => [1]
 */
export const decodeObjects = (
  objects: ReadonlyArray<unknown>,
): { readonly lists: ObjectLists; readonly refused: ReadonlyArray<RefusedObject> } => {
  const refused: Array<RefusedObject> = []
  const shelf = <A>(decode: Decoder<A>) => {
    const items: Array<A> = []
    const put = (object: unknown, index: number) => {
      const decoded = decode(object)
      if (E.isRight(decoded)) items.push(decoded.right)
      else refused.push({ index, object, errors: decoded.left })
    }
    return { items, put }
  }
  const pods = shelf(decodePod)
  const nodes = shelf(decodeNode)
  const nodeClaims = shelf(decodeNodeClaim)
  const nodePools = shelf(decodeNodePool)
  const daemonSets = shelf(decodeDaemonSet)
  const podDisruptionBudgets = shelf(decodePodDisruptionBudget)
  const namespaces = shelf(decodeNamespace)
  const volumeClaims = shelf(decodePersistentVolumeClaim)
  const persistentVolumes = shelf(decodePersistentVolume)
  const storageClasses = shelf(decodeStorageClass)
  const csiNodes = shelf(decodeCSINode)
  const shelves = new Map([
    ['v1/Pod', pods.put],
    ['v1/Node', nodes.put],
    ['karpenter.sh/v1/NodeClaim', nodeClaims.put],
    ['karpenter.sh/v1/NodePool', nodePools.put],
    ['apps/v1/DaemonSet', daemonSets.put],
    ['policy/v1/PodDisruptionBudget', podDisruptionBudgets.put],
    ['v1/Namespace', namespaces.put],
    ['v1/PersistentVolumeClaim', volumeClaims.put],
    ['v1/PersistentVolume', persistentVolumes.put],
    ['storage.k8s.io/v1/StorageClass', storageClasses.put],
    ['storage.k8s.io/v1/CSINode', csiNodes.put],
  ])
  for (const [index, object] of objects.entries()) {
    const { apiVersion, kind } = (object ?? {}) as { readonly apiVersion?: unknown; readonly kind?: unknown }
    shelves.get(`${String(apiVersion)}/${String(kind)}`)?.(object, index)
  }
  return {
    lists: {
      pods: pods.items,
      nodes: nodes.items,
      nodeClaims: nodeClaims.items,
      nodePools: nodePools.items,
      daemonSets: daemonSets.items,
      podDisruptionBudgets: podDisruptionBudgets.items,
      namespaces: namespaces.items,
      volumeClaims: volumeClaims.items,
      persistentVolumes: persistentVolumes.items,
      storageClasses: storageClasses.items,
      csiNodes: csiNodes.items,
    },
    refused,
  }
}

/**
 * The snapshot that decoded objects make. Cost: linear; 20,000 pods of a few shapes take well under a second.
 *
 * @example
 * import { instanceType, nodePoolObject, podObject } from '@scantling/core/testing'
 * const { lists } = decodeObjects([nodePoolObject('general'), podObject('web-0', { cpu: '1' })])
 * const snapshot = snapshotOf(lists, {
 *   nowMs: 0,
 *   settings: defaultPlanningSettings,
 *   labelRules: {
 *     knowledge: coreLabelKnowledge,
 *     unsupportedTopologyKeys: new Set(),
 *     unsupportedProvisioners: new Set(),
 *   },
 *   supportsNodeClass: () => true,
 *   readiness: 'assumed',
 *   instanceTypes: () => [instanceType('m5.large', 2)],
 * })
 * snapshot.pods.map(podKey) // => ['default/web-0']
 */
export const snapshotOf = (lists: ObjectLists, context: SnapshotContext): Snapshot => {
  const { nowMs, settings, labelRules } = context
  const interner = makePodInterner()
  const podsByNode = new Map<string, Array<Pod>>()
  const unbound: Array<Pod> = []
  for (const object of lists.pods) {
    const pod = ingestPod(object, interner)
    if (pod.nodeName === undefined) unbound.push(pod)
    else {
      const neighbours = podsByNode.get(pod.nodeName)
      if (neighbours === undefined) podsByNode.set(pod.nodeName, [pod])
      else neighbours.push(pod)
    }
  }
  const nodePools = lists.nodePools.map((object) => ingestNodePool(object, context))
  return {
    nowMs,
    settings,
    labelRules,
    nodePools,
    instanceTypes: new Map(
      nodePools.flatMap((nodePool) => {
        const types = context.instanceTypes(nodePool)
        return types === undefined ? [] : [[nodePool.name, types] as const]
      }),
    ),
    nodes: joinStateNodes({
      nodes: lists.nodes,
      nodeClaims: lists.nodeClaims,
      csiNodes: lists.csiNodes,
      podsByNode,
      supportsNodeClass: context.supportsNodeClass,
    }),
    pods: unbound,
    daemonSets: lists.daemonSets.map((object) => ingestDaemonSet(object, newestPodOf(object, lists.pods), interner)),
    podDisruptionBudgets: lists.podDisruptionBudgets.map(ingestPodDisruptionBudget),
    namespaces: new Map(lists.namespaces.map(({ metadata }) => [metadata.name, metadata.labels])),
    volumes: {
      claims: new Map(
        lists.volumeClaims.map((object) => {
          const claim = ingestVolumeClaim(object)
          return [`${claim.namespace}/${claim.name}`, claim]
        }),
      ),
      persistentVolumes: new Map(
        lists.persistentVolumes.map((object) => [object.metadata.name, ingestPersistentVolume(object)]),
      ),
      storageClasses: new Map(lists.storageClasses.map((object) => [object.metadata.name, ingestStorageClass(object)])),
    },
  }
}
