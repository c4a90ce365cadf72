import type { KubeObject, ResourceView } from '../face.ts'
import { expired } from './failures.ts'
import { objectAt } from './json.ts'

/** One committed change. `revision` is the resource version it was given. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: KubeObject
  readonly previous: KubeObject | undefined
  readonly revision: number
}

/** One resource's objects, indexes, recent changes and watchers. */
export interface Collection {
  readonly view: ResourceView
  readonly get: (namespace: string, name: string) => KubeObject | undefined
  /** Objects in order of namespace and name. The array is shared between calls: do not mutate. */
  readonly sorted: (namespace?: string) => ReadonlyArray<KubeObject>
  /** Changes after `revision`, oldest first. Errors: 410 when some of them are no longer kept. */
  readonly changesAfter: (revision: number) => ReadonlyArray<Change>
  readonly subscribe: (onChange: (change: Change) => void) => () => void
}

/**
 * The state of the cluster: every write takes the next number of one sequence, which becomes the object's resource version.
 *
 * Objects are shared with every reader and never mutated. Cost: O(1) for each write, plus one call for each watcher.
 */
export interface Store {
  readonly revision: () => number
  /** The collection of a resource (`plural.group`), made on first use. */
  readonly collection: (key: string) => Collection
  /** Puts a new or changed object under its metadata's namespace and name, with the next resource version. */
  readonly put: (key: string, object: KubeObject) => KubeObject
  /** Removes an object; gives it as it was last, with the resource version of its removal. */
  readonly remove: (key: string, object: KubeObject, last?: KubeObject) => KubeObject
  /** Forgets all changes, so that older resource versions answer 410. */
  readonly compact: () => void
  /** The owner of any kind with this UID. */
  readonly byUid: (uid: string) => KubeObject | undefined
  /** Everything with an owner reference to this UID, with the key of its collection. */
  readonly dependents: (uid: string) => ReadonlyArray<{ readonly key: string; readonly object: KubeObject }>
  /** Called after each commit, in every collection. */
  readonly onCommit: (listener: (key: string, change: Change) => void) => void
}

interface Shelf extends Collection {
  readonly commit: (change: Change) => void
  readonly forget: (revision: number) => void
}

const noIndex: ReadonlyMap<string, KubeObject> = new Map()

/** `historyLimit`: how many changes of each resource are kept for watches that resume. */
export const createStore = (historyLimit: number): Store => {
  let revision = 0
  const shelves = new Map<string, Shelf>()
  const byUid = new Map<string, KubeObject>()
  const listeners: ((key: string, change: Change) => void)[] = []

  const shelf = (key: string): Shelf => {
    const known = shelves.get(key)
    if (known !== undefined) return known
    const made = createShelf({ historyLimit, indexNodes: key === 'pods' })
    shelves.set(key, made)
    return made
  }
  const commit = (
    key: string,
    type: Change['type'],
    object: KubeObject,
    previous: KubeObject | undefined,
  ): KubeObject => {
    const stamped: KubeObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(++revision) } }
    const change: Change = { type, object: stamped, previous, revision }
    if (type === 'DELETED') byUid.delete(object.metadata.uid)
    else byUid.set(object.metadata.uid, stamped)
    shelf(key).commit(change)
    for (const listener of listeners) listener(key, change)
    return stamped
  }
  return {
    revision: () => revision,
    collection: shelf,
    put: (key, object) => {
      const previous = shelf(key).get(object.metadata.namespace ?? '', object.metadata.name)
      return commit(key, previous === undefined ? 'ADDED' : 'MODIFIED', object, previous)
    },
    remove: (key, object, last) => commit(key, 'DELETED', last ?? object, object),
    compact: () => {
      for (const each of shelves.values()) each.forget(revision)
    },
    byUid: (uid) => byUid.get(uid),
    dependents: (uid) => {
      const found: { readonly key: string; readonly object: KubeObject }[] = []
      for (const [key, { view }] of shelves) for (const object of view.ownedBy(uid)) found.push({ key, object })
      return found
    },
    onCommit: (listener) => void listeners.push(listener),
  }
}

// A namespace and a name joined by a character that neither may contain and that sorts before all they may.
const placeOf = (namespace: string, name: string): string => `${namespace}\u0000${name}`

const createShelf = (options: { readonly historyLimit: number; readonly indexNodes: boolean }): Shelf => {
  const objects = new Map<string, KubeObject>()
  const namespaces = new Map<string, Map<string, KubeObject>>()
  const uids = new Map<string, KubeObject>()
  const owned = new Map<string, Map<string, KubeObject>>()
  const nodes = new Map<string, Map<string, KubeObject>>()
  const watchers = new Set<(change: Change) => void>()
  let history: Change[] = []
  let forgottenRevision = 0
  let sortedPlaces: ReadonlyArray<string> | undefined
  let sortedObjects: ReadonlyArray<KubeObject> | undefined

  const index = (into: Map<string, Map<string, KubeObject>>, key: string, place: string, object: KubeObject) => {
    let entries = into.get(key)
    if (entries === undefined) into.set(key, (entries = new Map()))
    entries.set(place, object)
  }
  const unindex = (from: Map<string, Map<string, KubeObject>>, key: string, place: string) => {
    const entries = from.get(key)
    entries?.delete(place)
    if (entries?.size === 0) from.delete(key)
  }
  const insert = (place: string, object: KubeObject) => {
    objects.set(place, object)
    uids.set(object.metadata.uid, object)
    index(namespaces, object.metadata.namespace ?? '', place, object)
    for (const owner of object.metadata.ownerReferences ?? []) index(owned, owner.uid, place, object)
    if (options.indexNodes) index(nodes, nodeNameOf(object), place, object)
  }
  const drop = (place: string, object: KubeObject) => {
    objects.delete(place)
    uids.delete(object.metadata.uid)
    unindex(namespaces, object.metadata.namespace ?? '', place)
    for (const owner of object.metadata.ownerReferences ?? []) unindex(owned, owner.uid, place)
    if (options.indexNodes) unindex(nodes, nodeNameOf(object), place)
  }
  const replace = (place: string, previous: KubeObject, object: KubeObject) => {
    if (previous.metadata.ownerReferences !== object.metadata.ownerReferences) {
      for (const owner of previous.metadata.ownerReferences ?? []) unindex(owned, owner.uid, place)
    }
    if (options.indexNodes && nodeNameOf(previous) !== nodeNameOf(object)) unindex(nodes, nodeNameOf(previous), place)
    insert(place, object)
  }
  const places = (): ReadonlyArray<string> => (sortedPlaces ??= [...objects.keys()].sort())

  return {
    view: {
      get size() {
        return objects.size
      },
      get: (name, namespace) => objects.get(placeOf(namespace ?? '', name)),
      byUid: (uid) => uids.get(uid),
      values: (namespace) => (namespace === undefined ? objects : (namespaces.get(namespace) ?? noIndex)).values(),
      ownedBy: (uid) => (owned.get(uid) ?? noIndex).values(),
      onNode: (nodeName) => (nodes.get(nodeName) ?? noIndex).values(),
    },
    get: (namespace, name) => objects.get(placeOf(namespace, name)),
    sorted: (namespace) => {
      if (namespace !== undefined) {
        const entries = namespaces.get(namespace) ?? noIndex
        return [...entries.keys()].sort().map((place) => entries.get(place) as KubeObject)
      }
      return (sortedObjects ??= places().map((place) => objects.get(place) as KubeObject))
    },
    changesAfter: (revision) => {
      if (revision < forgottenRevision) {
        throw expired(`too old resource version: ${revision} (${forgottenRevision + 1})`)
      }
      let from = history.length
      while (from > 0 && (history[from - 1] as Change).revision > revision) from--
      return history.slice(from)
    },
    subscribe: (onChange) => {
      watchers.add(onChange)
      return () => void watchers.delete(onChange)
    },
    commit: (change) => {
      const { object, previous } = change
      const place = placeOf(object.metadata.namespace ?? '', object.metadata.name)
      sortedObjects = undefined
      if (change.type === 'DELETED') drop(place, previous as KubeObject)
      else if (previous === undefined) insert(place, object)
      else replace(place, previous, object)
      if (change.type !== 'MODIFIED') sortedPlaces = undefined
      history.push(change)
      // Trimmed in bulk, so that the cost of shifting the array is shared by many writes.
      if (history.length > options.historyLimit * 2) {
        const kept = history.slice(-options.historyLimit)
        forgottenRevision = (kept[0] as Change).revision - 1
        history = kept
      }
      for (const watcher of watchers) watcher(change)
    },
    forget: (revision) => {
      history = []
      forgottenRevision = revision
    },
  }
}

const nodeNameOf = (pod: KubeObject): string => {
  const nodeName = objectAt(pod, 'spec')?.['nodeName']
  return typeof nodeName === 'string' ? nodeName : ''
}
