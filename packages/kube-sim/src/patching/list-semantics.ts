/** How two versions of a list are merged. */
export type ListMerge =
  | { readonly _tag: 'atomic' }
  /** Scalars without order or repetition. */
  | { readonly _tag: 'set' }
  /** Objects told apart by these fields. `defaults` stand in for fields that an item leaves out. */
  | {
      readonly _tag: 'map'
      readonly keys: readonly [string, ...string[]]
      readonly defaults?: Readonly<Record<string, string>>
    }

/** How the list at a path of field names (list positions left out) is merged. */
export type ListSemantics = (path: ReadonlyArray<string>) => ListMerge

export const atomicList: ListMerge = { _tag: 'atomic' }
const byName: ListMerge = { _tag: 'map', keys: ['name'] }
const byType: ListMerge = { _tag: 'map', keys: ['type'] }
const scalarSet: ListMerge = { _tag: 'set' }

// Merge keys of the built-in types. Source: `x-kubernetes-patch-merge-key` of the Kubernetes OpenAPI description.
const builtInLists: ReadonlyMap<string, ListMerge> = new Map<string, ListMerge>([
  ['containers', byName],
  ['initContainers', byName],
  ['ephemeralContainers', byName],
  ['volumes', byName],
  ['env', byName],
  ['imagePullSecrets', byName],
  ['secrets', byName],
  ['resourceClaims', byName],
  ['schedulingGates', byName],
  ['drivers', byName],
  ['volumeMounts', { _tag: 'map', keys: ['mountPath'] }],
  ['volumeDevices', { _tag: 'map', keys: ['devicePath'] }],
  ['hostAliases', { _tag: 'map', keys: ['ip'] }],
  ['podIPs', { _tag: 'map', keys: ['ip'] }],
  ['topologySpreadConstraints', { _tag: 'map', keys: ['topologyKey', 'whenUnsatisfiable'] }],
  ['conditions', byType],
  ['ownerReferences', { _tag: 'map', keys: ['uid'] }],
  ['finalizers', scalarSet],
])

/** Lists of the built-in types; what is not named here (taints, tolerations, args…) is replaced whole. */
export const builtInListSemantics: ListSemantics = (path) => {
  const field = path.at(-1) ?? ''
  if (field === 'addresses' && path.includes('status')) return byType
  if (field === 'ports') {
    const parent = path.at(-2)
    const inContainer = parent === 'containers' || parent === 'initContainers' || parent === 'ephemeralContainers'
    return { _tag: 'map', keys: [inContainer ? 'containerPort' : 'port', 'protocol'], defaults: { protocol: 'TCP' } }
  }
  return builtInLists.get(field) ?? atomicList
}
