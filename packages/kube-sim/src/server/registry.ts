import type { KubeObject } from '../face.ts'
import type { ListSemantics } from '../patching/list-semantics.ts'
import type { FieldError } from './failures.ts'
import type { JsonObject } from './json.ts'

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  /** 0 is always shown, anything greater only with `-o wide`. */
  readonly priority?: number
  readonly cell: (object: KubeObject, nowMs: number) => unknown
}

/** What defaulting and validation may look at besides the object. */
export interface Surroundings {
  readonly peek: (key: string, namespace: string, name: string) => KubeObject | undefined
  readonly values: (key: string) => Iterable<KubeObject>
}

/** Where a resource keeps its replicas, for the scale sub-resource. Dotted paths. */
export interface ScalePaths {
  readonly specReplicas: string
  readonly statusReplicas: string
  /** A label selector object (built-in types) or its string form (custom resources). */
  readonly selector?: string
}

/** One resource: its names, its scope, and what happens to its objects on their way in. */
export interface ResourceType {
  readonly group: string
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly shortNames: ReadonlyArray<string>
  readonly categories: ReadonlyArray<string>
  readonly namespaced: boolean
  /** Served versions, the preferred one first. */
  readonly versions: ReadonlyArray<string>
  readonly storageVersion: string
  /** The group of stored objects: differs from `group` only where a resource is served by a second group. */
  readonly storageGroup: string
  /** Whether `status` can only be written through its sub-resource. */
  readonly hasStatus: boolean
  /** Whether creation keeps the `status` it is given (Nodes), though there is a sub-resource. */
  readonly keepsStatusOnCreate: boolean
  readonly scale?: ScalePaths
  /** Whether `metadata.generation` counts changes of the desired state. */
  readonly hasGeneration: boolean
  /** Whether deletion is graceful (pods). */
  readonly graceful: boolean
  /** Whether what belongs to an object stays when its deletion does not say otherwise. */
  readonly orphansDependents: boolean
  /** Whether an update without `resourceVersion` is taken as it is. Custom resources insist on one. */
  readonly unconditionalUpdate: boolean
  readonly selectableFields: ReadonlySet<string>
  /** The patch types of built-in resources include strategic merge; custom resources have none. */
  readonly strategicPatch: boolean
  readonly lists: ListSemantics
  readonly columns: ReadonlyArray<Column>
  readonly nameRule: (name: string) => string | undefined
  /**
   * Drops what the schema does not know and sets defaults, in place; gives the paths of what was dropped.
   *
   * `version` is the API version in which the object came.
   */
  readonly admit: (object: JsonObject, version: string, surroundings: Surroundings) => ReadonlyArray<string>
  /** The initial status of a new object, in place, and what else the server adds only then. */
  readonly initialize: (object: JsonObject) => void
  /** What the server itself carries from the object before an update to the next, in place. */
  readonly renew: (object: JsonObject, previous: KubeObject) => void
  readonly validate: (
    object: KubeObject,
    previous: KubeObject | undefined,
    surroundings: Surroundings,
  ) => ReadonlyArray<FieldError>
  /** Conversion to the storage version, and from it. Absent when only `apiVersion` differs. */
  readonly conversion?: {
    readonly toStorage: (object: JsonObject, apiVersion: string) => JsonObject
    readonly fromStorage: (object: KubeObject, apiVersion: string) => KubeObject
  }
  /** The OpenAPI schema of a version, for `kubectl explain`. */
  readonly openApi?: (version: string) => unknown
}

/** A resource as one API version serves it. */
export interface ServedResource {
  readonly type: ResourceType
  readonly version: string
  readonly apiVersion: string
  /** Where it is stored: `plural` for the core group, else `plural.group`. */
  readonly key: string
}

/** The resources that the server knows. Custom resource definitions add to it while it runs. */
export interface Registry {
  readonly find: (group: string, version: string, plural: string) => ServedResource | undefined
  readonly findKind: (apiVersion: string, kind: string) => ServedResource | undefined
  readonly byKey: (key: string) => ResourceType | undefined
  /** Stored resources, each once. */
  readonly all: () => ReadonlyArray<ResourceType>
  /** Every resource in every version it is served in. */
  readonly served: () => ReadonlyArray<ServedResource>
  readonly register: (type: ResourceType, servedAlso?: ReadonlyArray<ServedAlias>) => void
  readonly unregister: (key: string) => void
}

/** The same objects under another group: Events are served by the core group and by `events.k8s.io`. */
export interface ServedAlias {
  readonly group: string
  readonly version: string
}

export const keyOf = (type: { readonly group: string; readonly plural: string }): string =>
  type.group === '' ? type.plural : `${type.plural}.${type.group}`

export const apiVersionOf = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`)

export const createRegistry = (): Registry => {
  const types = new Map<string, ResourceType>()
  const served = new Map<string, ServedResource>()
  const place = (group: string, version: string, plural: string) => `${group}/${version}/${plural}`
  return {
    find: (group, version, plural) => served.get(place(group, version, plural)),
    findKind: (apiVersion, kind) =>
      [...served.values()].find((each) => each.apiVersion === apiVersion && each.type.kind === kind),
    byKey: (key) => types.get(key),
    all: () => [...types.values()],
    served: () => [...served.values()],
    register: (type, servedAlso = []) => {
      const key = keyOf(type)
      for (const [at, { key: owner }] of served) if (owner === key) served.delete(at)
      types.set(key, type)
      for (const version of type.versions) {
        const apiVersion = apiVersionOf(type.group, version)
        served.set(place(type.group, version, type.plural), { type, version, apiVersion, key })
      }
      for (const { group, version } of servedAlso) {
        const apiVersion = apiVersionOf(group, version)
        // The alias reports its own group, so that names in failures and discovery are right.
        served.set(place(group, version, type.plural), { type: { ...type, group }, version, apiVersion, key })
      }
    },
    unregister: (key) => {
      types.delete(key)
      for (const [at, { key: owner }] of served) if (owner === key) served.delete(at)
    },
  }
}
