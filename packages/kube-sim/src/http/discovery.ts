import { apiVersionOf, type Registry, type ResourceType } from '../server/registry.ts'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

interface Subresource {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: ReadonlyArray<string>
}

const subresourcesOf = (type: ResourceType, version: string): ReadonlyArray<Subresource> => {
  const own = { group: type.group, version, kind: type.kind }
  const found: Subresource[] = []
  if (type.hasStatus) found.push({ name: 'status', ...own, verbs: ['get', 'patch', 'update'] })
  if (type.scale !== undefined) {
    found.push({ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] })
  }
  if (type.graceful) {
    found.push({ name: 'binding', group: '', version: 'v1', kind: 'Binding', verbs: ['create'] })
    found.push({ name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] })
  }
  return found
}

interface GroupVersion {
  readonly group: string
  readonly version: string
  readonly types: ReadonlyArray<ResourceType>
}

/** Every served group and version with its resources, groups in alphabetical order, the core group first. */
export const groupVersions = (registry: Registry): ReadonlyArray<GroupVersion> => {
  const found = new Map<string, { group: string; version: string; types: ResourceType[] }>()
  for (const { type, version } of registry.served()) {
    const key = apiVersionOf(type.group, version)
    let entry = found.get(key)
    if (entry === undefined) found.set(key, (entry = { group: type.group, version, types: [] }))
    entry.types.push(type)
  }
  return [...found.values()].sort((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0))
}

/** `/apis`: the groups. */
export const groupList = (registry: Registry) => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupNames(registry).map((group) => groupDocument(registry, group)),
})

const groupNames = (registry: Registry): ReadonlyArray<string> => [
  ...new Set(
    groupVersions(registry)
      .map(({ group }) => group)
      .filter((group) => group !== ''),
  ),
]

const groupDocument = (registry: Registry, group: string) => {
  const versions = groupVersions(registry)
    .filter((each) => each.group === group)
    .map(({ version }) => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions, preferredVersion: versions[0] }
}

/** `/apis/<group>`; `undefined` for a group that is not served. */
export const groupInfo = (registry: Registry, group: string) => {
  if (!groupNames(registry).includes(group)) return undefined
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(registry, group) }
}

/** `/api/v1`, `/apis/<group>/<version>`; `undefined` for what is not served. */
export const resourceList = (registry: Registry, group: string, version: string) => {
  const found = groupVersions(registry).find((each) => each.group === group && each.version === version)
  if (found === undefined) return undefined
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(group, version),
    resources: found.types.flatMap((type) => [
      {
        name: type.plural,
        singularName: type.singular,
        namespaced: type.namespaced,
        kind: type.kind,
        verbs,
        ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
        ...(type.categories.length === 0 ? {} : { categories: type.categories }),
      },
      ...subresourcesOf(type, version).map((sub) => ({
        name: `${type.plural}/${sub.name}`,
        singularName: '',
        namespaced: type.namespaced,
        group: sub.group,
        version: sub.version,
        kind: sub.kind,
        verbs: sub.verbs,
      })),
    ]),
  }
}

export const aggregatedMediaType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

export const wantsAggregated = (accept: string | undefined): boolean =>
  accept !== undefined &&
  accept
    .split(',')
    .some((entry) => /g=apidiscovery\.k8s\.io/.test(entry) && /v=v2(;|$)/.test(entry.replaceAll(' ', '')))

/** `/api` and `/apis` in the aggregated form: every resource in one answer. */
export const aggregatedDiscovery = (registry: Registry, core: boolean) => {
  const all = groupVersions(registry)
  const names = core ? [''] : groupNames(registry)
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: names.map((group) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: all
        .filter((each) => each.group === group)
        .map(({ version, types }) => ({
          version,
          freshness: 'Current',
          resources: types.map((type) => ({
            resource: type.plural,
            responseKind: { group, version, kind: type.kind },
            scope: type.namespaced ? 'Namespaced' : 'Cluster',
            singularResource: type.singular,
            verbs,
            ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
            ...(type.categories.length === 0 ? {} : { categories: type.categories }),
            subresources: subresourcesOf(type, version).map((sub) => ({
              subresource: sub.name,
              responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
              verbs: sub.verbs,
            })),
          })),
        })),
    })),
  }
}
