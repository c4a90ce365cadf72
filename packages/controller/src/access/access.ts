import type { ClusterRead } from '@scantling/core'
import { featureKinds, makeKinds, type ResourceKind } from '../kube/index.ts'
import type { AnyProviderModule } from '../provider-loader/index.ts'
import { usualLeaseName } from '../settings/index.ts'

/** What the controller may do with one resource, as a rule of a Kubernetes role says it. */
export interface Grant {
  /** Empty: the core group. */
  readonly group: string
  /** Plural, with a subresource after a slash: `pods/eviction`. */
  readonly resource: string
  readonly verbs: ReadonlyArray<Verb>
  /** Objects to which the grant is limited; `create` cannot be. */
  readonly names?: ReadonlyArray<string>
}

export type Verb = 'create' | 'delete' | 'get' | 'list' | 'patch' | 'watch'

/** Everything that the controller asks of the API server, by where its role applies. */
export interface Access {
  readonly cluster: ReadonlyArray<Grant>
  /** In the controller's own namespace. */
  readonly own: ReadonlyArray<Grant>
  /** In other namespaces, by name. */
  readonly elsewhere: Readonly<Record<string, ReadonlyArray<Grant>>>
  /** Also in the cluster, where NodePools may have `scantling.sh/surge`: not by default, since it writes what others own. */
  readonly surge: ReadonlyArray<Grant>
}

const kinds = makeKinds()
const followed: ReadonlyArray<Verb> = ['list', 'watch']

/** Kinds that are followed whatever the settings. */
const read = [
  kinds.pods,
  kinds.nodes,
  kinds.nodeClaims,
  kinds.nodePools,
  kinds.daemonSets,
  kinds.podDisruptionBudgets,
  kinds.persistentVolumeClaims,
  kinds.persistentVolumes,
  kinds.storageClasses,
  kinds.csiNodes,
  kinds.volumeAttachments,
  kinds.namespaces,
  kinds.priorityClasses,
  // Behind feature gates, which may be switched without another role.
  featureKinds.nodeOverlays,
  featureKinds.capacityBuffers,
  featureKinds.podTemplates,
  featureKinds.services,
]

/** Workloads that a CapacityBuffer or the cluster's default spread refers to, read one by one. */
const looked = [
  featureKinds.deployments,
  featureKinds.replicaSets,
  featureKinds.statefulSets,
  featureKinds.replicationControllers,
]

/**
 * The calls that the controller makes with a provider, as grants: the source of the roles that we install.
 *
 * Kept by hand beside the calls and held to them from both sides by the end-to-end run against a real API server, which
 * refuses a call that is not granted, and whose audit log tells of a grant that is never used.
 */
export const accessOf = ({ nodeClasses, traits, reads = [] }: AnyProviderModule): Access => {
  const cluster = [
    ...read.map((kind) => grant(kind, followed)),
    ...looked.map((kind) => grant(kind, ['get'])),
    grant(kinds.nodeClaims, ['create', 'patch', 'delete']),
    grant(kinds.nodeClaims, ['patch'], 'status'),
    grant(kinds.nodePools, ['patch']),
    grant(kinds.nodePools, ['patch'], 'status'),
    grant(kinds.nodes, ['patch', 'delete']),
    grant(kinds.pods, ['delete']),
    grant(kinds.pods, ['create'], 'eviction'),
    grant(featureKinds.nodeOverlays, ['patch'], 'status'),
    grant(featureKinds.capacityBuffers, ['patch'], 'status'),
    { group: '', resource: 'events', verbs: ['create'] as const },
    ...nodeClasses.flatMap(({ group, names, finalizer, hash }) => [
      { group, resource: names.plural, verbs: followed },
      ...(finalizer === undefined && hash === undefined
        ? []
        : [{ group, resource: names.plural, verbs: ['patch'] as const }]),
      { group, resource: `${names.plural}/status`, verbs: ['patch'] as const },
    ]),
    ...(traits?.kubelet === 'simulated'
      ? [grant(kinds.nodes, ['create']), grant(kinds.nodes, ['patch'], 'status')]
      : []),
    ...reads.filter(({ namespace }) => namespace === undefined).map(readGrant),
  ]
  const elsewhere: Record<string, ReadonlyArray<Grant>> = {
    // The cluster's DNS address is a fact that providers are told.
    'kube-system': [{ group: '', resource: 'services', names: ['kube-dns'], verbs: ['get'] }],
  }
  for (const wanted of reads) {
    const { namespace } = wanted
    if (namespace !== undefined && namespace !== ownNamespace)
      elsewhere[namespace] = merged([...(elsewhere[namespace] ?? []), readGrant(wanted)])
  }
  const own = [
    // In kube-system stand those of Kubernetes itself, too. Creating cannot be limited to a name.
    { group: 'coordination.k8s.io', resource: 'leases', verbs: ['create'] as const },
    { group: 'coordination.k8s.io', resource: 'leases', verbs: ['get', 'patch'] as const, names: [usualLeaseName] },
    ...reads.filter(({ namespace }) => namespace === ownNamespace).map(readGrant),
  ]
  return { cluster: merged(cluster), own: merged(own), elsewhere, surge: [grant(featureKinds.deployments, ['patch'])] }
}

const ownNamespace = '$system'

const grant = (
  kind: Pick<ResourceKind, 'apiVersion' | 'plural'>,
  verbs: ReadonlyArray<Verb>,
  subresource?: string,
): Grant => ({
  group: groupOf(kind.apiVersion),
  resource: subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`,
  verbs,
})

const readGrant = ({ apiVersion, plural, name }: ClusterRead): Grant => ({
  group: groupOf(apiVersion),
  resource: plural,
  verbs: [name === undefined ? 'list' : 'get'],
  ...(name === undefined ? {} : { names: [name] }),
})

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''

/** One grant for each resource, in the order of group and resource. */
const merged = (grants: ReadonlyArray<Grant>): ReadonlyArray<Grant> => {
  const byResource = new Map<string, Grant>()
  for (const one of grants) {
    const key = `${one.group}/${one.resource}/${one.names?.join() ?? ''}`
    const verbs = new Set([...(byResource.get(key)?.verbs ?? []), ...one.verbs])
    byResource.set(key, { ...one, verbs: [...verbs].sort() })
  }
  return [...byResource.keys()].sort().flatMap((key) => byResource.get(key) ?? [])
}
