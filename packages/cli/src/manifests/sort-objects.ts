import {
  convertManifests,
  decodeCSINode,
  decodeDaemonSet,
  decodeDeployment,
  decodeNamespace,
  decodeNode,
  decodeNodeClaim,
  decodeNodePool,
  decodePersistentVolume,
  decodePersistentVolumeClaim,
  decodePod,
  decodePodDisruptionBudget,
  decodePriorityClass,
  decodeReplicaSet,
  decodeStatefulSet,
  decodeStorageClass,
  Labels,
  nodePoolProblems,
  nodePoolSchema,
  renderFieldError,
  replacementOf,
  unknownFieldsOf,
  type Decoder,
  type FieldError,
  type NamespaceObject,
  type NodePoolObject,
  type ObjectLists,
  type PersistentVolumeClaimObject,
  type PodObject,
} from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'

import {
  asWaiting,
  blankMetadata,
  decodeJob,
  expandJob,
  expandReplicated,
  expandStatefulSet,
  type Expansion,
} from './expand-workloads.ts'
import { placeOf, type Manifest } from './read-manifests.ts'

/** Manifests as the lists that a snapshot is made of. */
export interface SortedObjects {
  readonly lists: ObjectLists
  /** A sentence for each object that was refused; the others count. */
  readonly problems: ReadonlyArray<string>
  /** What was changed or passed over, for the user to know. */
  readonly notes: ReadonlyArray<string>
  /** NodeClasses of whatever cloud, in today's form and not decoded: what they mean is their provider's affair. */
  readonly nodeClasses: ReadonlyArray<Manifest>
  /** Where each NodePool stands, by name. */
  readonly nodePoolPlaces: ReadonlyMap<string, string>
}

/**
 * Decodes manifests by kind, old forms converted and workloads expanded into pods.
 *
 * Kinds that have no say in where pods run are passed over.
 */
export const sortObjects = (given: ReadonlyArray<Manifest>): SortedObjects => {
  const problems: Array<string> = []
  const notes: Array<string> = []
  const { manifests, retired } = inTodaysForm(given, problems, notes)
  const lists = {
    pods: [] as Array<PodObject>,
    nodePools: [] as Array<NodePoolObject>,
    volumeClaims: [] as Array<PersistentVolumeClaimObject>,
    namespaces: [] as Array<NamespaceObject>,
  }
  const nodePoolPlaces = new Map<string, string>()
  const shelf = <A>(decode: Decoder<A>, items: Array<A> = [], adjust: (item: A) => A = (item) => item) => ({
    items,
    put: (manifest: Manifest) => {
      const decoded = decode(manifest.object)
      if (E.isRight(decoded)) items.push(adjust(decoded.right))
      else problems.push(...decoded.left.map((error) => renderProblem(manifest, error)))
    },
  })
  const workload = <A>(decode: Decoder<A>, expand: (object: A) => Expansion) => ({
    put: (manifest: Manifest) => {
      const decoded = decode(manifest.object)
      if (E.isLeft(decoded)) {
        problems.push(...decoded.left.map((error) => renderProblem(manifest, error)))
        return
      }
      const { pods, volumeClaims } = expand(decoded.right)
      for (const pod of pods) lists.pods.push(pod)
      lists.volumeClaims.push(...volumeClaims)
    },
  })
  const nodePools = shelf(decodeValidNodePool, lists.nodePools)
  const nodes = shelf(decodeNode)
  const nodeClaims = shelf(decodeNodeClaim)
  const daemonSets = shelf(decodeDaemonSet)
  const podDisruptionBudgets = shelf(decodePodDisruptionBudget)
  const persistentVolumes = shelf(decodePersistentVolume)
  const storageClasses = shelf(decodeStorageClass)
  const csiNodes = shelf(decodeCSINode)
  const priorityClasses = shelf(decodePriorityClass)
  const shelves = new Map<string, { readonly put: (manifest: Manifest) => void }>([
    ['v1 Pod', shelf(decodePod, lists.pods, asWaiting)],
    ['v1 Node', nodes],
    ['v1 Namespace', shelf(decodeNamespace, lists.namespaces)],
    ['v1 PersistentVolumeClaim', shelf(decodePersistentVolumeClaim, lists.volumeClaims)],
    ['v1 PersistentVolume', persistentVolumes],
    ['karpenter.sh/v1 NodePool', nodePools],
    ['karpenter.sh/v1 NodeClaim', nodeClaims],
    ['apps/v1 DaemonSet', daemonSets],
    ['apps/v1 Deployment', workload(decodeDeployment, expandReplicated)],
    ['apps/v1 ReplicaSet', workload(decodeReplicaSet, expandReplicated)],
    ['apps/v1 StatefulSet', workload(decodeStatefulSet, expandStatefulSet)],
    ['batch/v1 Job', workload(decodeJob, expandJob)],
    ['policy/v1 PodDisruptionBudget', podDisruptionBudgets],
    ['storage.k8s.io/v1 StorageClass', storageClasses],
    ['storage.k8s.io/v1 CSINode', csiNodes],
    ['scheduling.k8s.io/v1 PriorityClass', priorityClasses],
  ])
  for (const manifest of manifests) {
    const { apiVersion, kind } = manifest.object as { readonly apiVersion: string; readonly kind: string }
    const found = shelves.get(`${apiVersion} ${kind}`)
    const before = problems.length
    if (typeof manifest.object['metadata'] === 'object') found?.put(manifest)
    else if (found !== undefined) found.put({ ...manifest, object: { ...manifest.object, metadata: {} } })
    if (found === nodePools) {
      // Other kinds are decoded to the fields that are read, so what they drop says nothing.
      for (const path of unknownFieldsOf(nodePoolSchema, manifest.object).filter((one) => one.startsWith('spec'))) {
        notes.push(`Ignored: ${placeOf(manifest)}: ${path}: there is no such field; correct its name or remove it`)
      }
    }
    if (found === nodePools && problems.length === before) {
      const added = lists.nodePools.at(-1)
      if (added !== undefined) nodePoolPlaces.set(added.metadata.name, placeOf(manifest))
    }
    if (found === undefined && apiVersion.split('/')[0] === 'karpenter.sh' && !retired.has(manifest)) {
      problems.push(
        `${placeOf(manifest)}: apiVersion: Invalid value: ${JSON.stringify(apiVersion)}: there is no ${kind} in it; today's form is karpenter.sh/v1`,
      )
    }
  }
  const priorities = new Map(priorityClasses.items.map(({ metadata, value }) => [metadata.name, value]))
  const defaultPriority = priorityClasses.items.find(({ globalDefault }) => globalDefault)?.value ?? 0
  const defaultClass = storageClasses.items.find(
    ({ metadata }) => Labels.get(metadata.annotations, 'storageclass.kubernetes.io/is-default-class') === 'true',
  )?.metadata.name
  const pods = lists.pods.map((pod) => withPriority(pod, priorities, defaultPriority))
  return {
    lists: {
      pods,
      nodes: nodes.items,
      nodeClaims: nodeClaims.items,
      nodePools: withNodeClass(lists.nodePools, manifests, nodePoolPlaces, problems),
      daemonSets: daemonSets.items,
      podDisruptionBudgets: podDisruptionBudgets.items,
      namespaces: withNames(lists.namespaces, pods),
      volumeClaims: lists.volumeClaims.map((claim) => withClass(claim, defaultClass)),
      persistentVolumes: persistentVolumes.items,
      storageClasses: storageClasses.items,
      csiNodes: csiNodes.items,
    },
    problems,
    notes,
    nodeClasses: manifests.filter(({ object }) => String(object['kind']).endsWith('NodeClass')),
    nodePoolPlaces,
  }
}

// What a running controller would refuse of a pool that the API server admits is refused here, too.
const decodeValidNodePool: Decoder<NodePoolObject> = (input) => {
  const decoded = decodeNodePool(input)
  if (E.isLeft(decoded)) return decoded
  const [first, ...rest] = nodePoolProblems(decoded.right)
  return first === undefined ? decoded : E.left([first, ...rest])
}

const inTodaysForm = (
  given: ReadonlyArray<Manifest>,
  problems: Array<string>,
  notes: Array<string>,
): { readonly manifests: ReadonlyArray<Manifest>; readonly retired: ReadonlySet<Manifest> } => {
  const converted = convertManifests(given.map(({ object }) => object))
  const place = (index: number) => {
    const manifest = given[index]
    return manifest === undefined ? '' : `${placeOf(manifest)}: `
  }
  for (const { index, text } of converted.changes) notes.push(`Changed: ${place(index)}${text}`)
  for (const { index, text } of converted.unsettled) problems.push(`${place(index)}${text}`)
  const manifests = given.map((manifest, index) => ({
    ...manifest,
    object: converted.manifests[index] ?? manifest.object,
  }))
  return { manifests, retired: new Set(manifests.filter(({ object }) => replacementOf(object) !== undefined)) }
}

const renderProblem = (manifest: Manifest, error: FieldError): string =>
  `${placeOf(manifest)}: ${renderFieldError(error)}${remedyFor(error)}`

// Where the schema itself does not say what to write.
const remedyFor = ({ kind, path, reason }: FieldError): string => {
  if (reason.startsWith('Cannot parse quantity')) return '; write an amount such as 500m, 2, 512Mi or 1.5Gi'
  if (kind !== 'Required' || reason !== '') return ''
  return path.endsWith('.operator') ? ': write In, NotIn, Exists, DoesNotExist, Gt, Lt, Gte or Lte' : ': add it'
}

// A pool whose NodeClass is not there would never become Ready; one from a live cluster says for itself whether it is.
const withNodeClass = (
  nodePools: ReadonlyArray<NodePoolObject>,
  manifests: ReadonlyArray<Manifest>,
  places: ReadonlyMap<string, string>,
  problems: Array<string>,
): ReadonlyArray<NodePoolObject> => {
  const present = new Set(
    manifests.map(({ object }) => {
      const { apiVersion, kind, metadata } = object as {
        readonly apiVersion: string
        readonly kind: string
        readonly metadata?: { readonly name?: string }
      }
      return `${apiVersion.split('/')[0]} ${kind} ${metadata?.name}`
    }),
  )
  return nodePools.filter(({ metadata, spec, status }) => {
    const { group, kind, name } = spec.template.spec.nodeClassRef
    const isReady = status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True')
    if (isReady || present.has(`${group} ${kind} ${name}`)) return true
    problems.push(
      `${places.get(metadata.name)}: spec.template.spec.nodeClassRef: Invalid value: ${JSON.stringify(`${kind}.${group}/${name}`)}: there is no such object in the files; add it, or name one that is there`,
    )
    return false
  })
}

const withPriority = (pod: PodObject, priorities: ReadonlyMap<string, number>, fallback: number): PodObject => {
  if (pod.spec.priority !== undefined) return pod
  const { priorityClassName } = pod.spec
  const priority = priorityClassName === undefined ? fallback : (priorities.get(priorityClassName) ?? fallback)
  return priority === 0 ? pod : { ...pod, spec: { ...pod.spec, priority } }
}

const withClass = (
  claim: PersistentVolumeClaimObject,
  defaultClass: string | undefined,
): PersistentVolumeClaimObject =>
  claim.spec.storageClassName !== undefined || defaultClass === undefined
    ? claim
    : { ...claim, spec: { ...claim.spec, storageClassName: defaultClass } }

// The API server puts the name among the labels of every namespace, and every namespace in use exists.
const withNames = (
  namespaces: ReadonlyArray<NamespaceObject>,
  pods: ReadonlyArray<PodObject>,
): ReadonlyArray<NamespaceObject> => {
  const byName = new Map(namespaces.map((namespace) => [namespace.metadata.name, namespace]))
  const names = new Set([...byName.keys(), ...pods.map(({ metadata }) => metadata.namespace)])
  return [...names].map((name): NamespaceObject => {
    const { labels, ...metadata } = byName.get(name)?.metadata ?? { name, ...blankMetadata }
    return {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { ...metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } },
      status: {},
    }
  })
}
