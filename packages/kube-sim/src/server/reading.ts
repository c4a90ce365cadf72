import type { KubeObject, ListOptions } from '../face.ts'
import { present, type Core, type Target } from './core.ts'
import { badRequest, expired, tooLargeVersion } from './failures.ts'
import { parseFieldSelector, parseLabelSelector, type Predicate } from './selectors.ts'

/** One page of a list. Objects are as the requested version shows them, shared with the store. */
export interface Page {
  readonly items: ReadonlyArray<KubeObject>
  readonly revision: number
  readonly continue: string | undefined
  readonly remaining: number | undefined
}

/** Lists in pages. Later pages come from the snapshot of the first, which is kept for a while. */
export interface Lister {
  readonly list: (target: Target, options: ListOptions) => Page
  /** Drops all snapshots, so that their tokens answer 410. */
  readonly expireTokens: () => void
}

interface Snapshot {
  readonly items: ReadonlyArray<KubeObject>
  readonly revision: number
  readonly takenMs: number
}

// As etcd's default compaction interval: a token older than this answers 410.
const snapshotLifeMs = 5 * 60_000
const snapshotLimit = 200

export const createLister = (core: Core): Lister => {
  const snapshots = new Map<number, Snapshot>()
  let nextSnapshot = 1

  const page = (id: number, snapshot: Snapshot, from: number, limit: number): Page => {
    const items = snapshot.items.slice(from, from + limit)
    const remaining = snapshot.items.length - from - items.length
    if (remaining === 0) snapshots.delete(id)
    return {
      items,
      revision: snapshot.revision,
      continue: remaining === 0 ? undefined : encodeToken({ id, from: from + limit }),
      remaining: remaining === 0 ? undefined : remaining,
    }
  }
  return {
    list: (target, options) => {
      const limit = options.limit ?? 0
      if (options.continue !== undefined && options.continue !== '') {
        const { id, from } = decodeToken(options.continue)
        const snapshot = snapshots.get(id)
        if (snapshot === undefined || core.clock.nowMs() - snapshot.takenMs > snapshotLifeMs) {
          snapshots.delete(id)
          throw expired(
            'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
          )
        }
        return page(id, snapshot, from, limit > 0 ? limit : snapshot.items.length)
      }
      const revision = core.store.revision()
      checkVersion(options, revision)
      const items = select(core, target, options)
      if (limit <= 0 || items.length <= limit) return { items, revision, continue: undefined, remaining: undefined }
      const id = nextSnapshot++
      if (snapshots.size >= snapshotLimit) {
        for (const oldest of snapshots.keys()) {
          snapshots.delete(oldest)
          break
        }
      }
      const snapshot = { items, revision, takenMs: core.clock.nowMs() }
      snapshots.set(id, snapshot)
      return page(id, snapshot, 0, limit)
    },
    expireTokens: () => snapshots.clear(),
  }
}

const checkVersion = (options: ListOptions, revision: number): void => {
  const { resourceVersion, resourceVersionMatch } = options
  if (resourceVersion === undefined || resourceVersion === '') {
    if (resourceVersionMatch) throw badRequest('resourceVersionMatch is forbidden unless resourceVersion is provided')
    return
  }
  const asked = parseRevision(resourceVersion)
  if (asked > revision) throw tooLargeVersion(asked, revision)
  if (resourceVersionMatch === 'Exact' && asked !== revision) {
    throw expired('The provided resource version is too old to list at.')
  }
}

/** Errors: 400 for what is no resource version of this server. */
export const parseRevision = (text: string): number => {
  if (!/^\d+$/.test(text)) throw badRequest(`invalid resource version ${JSON.stringify(text)}: must be a number`)
  return Number(text)
}

const select = (core: Core, target: Target, options: ListOptions): ReadonlyArray<KubeObject> => {
  const matches = selectorOf(target, options)
  let candidates: ReadonlyArray<KubeObject>
  const collection = core.store.collection(target.key)
  const nodeName = target.key === 'pods' ? nodeNameIn(target, options) : undefined
  if (nodeName !== undefined) {
    candidates = [...collection.view.onNode(nodeName)].sort(byPlace)
    if (!target.allNamespaces) candidates = candidates.filter((each) => each.metadata.namespace === target.namespace)
  } else candidates = collection.sorted(target.allNamespaces ? undefined : target.namespace)
  const selected = matches === undefined ? candidates : candidates.filter(matches)
  const { served } = target
  // The common case shares the store's own sorted array.
  return selected.every((each) => each.apiVersion === served.apiVersion)
    ? selected
    : selected.map((each) => present(served, each))
}

const byPlace = (a: KubeObject, b: KubeObject): number => {
  const left = `${a.metadata.namespace ?? ''}\u0000${a.metadata.name}`
  const right = `${b.metadata.namespace ?? ''}\u0000${b.metadata.name}`
  return left < right ? -1 : left > right ? 1 : 0
}

const nodeNameIn = (target: Target, options: ListOptions): string | undefined =>
  options.fieldSelector === undefined
    ? undefined
    : parseFieldSelector(options.fieldSelector, target.type.selectableFields)?.equals('spec.nodeName')

/** Label and field selector as one predicate over stored objects; `undefined` when everything matches. */
export const selectorOf = (
  target: Target,
  options: { readonly labelSelector?: string; readonly fieldSelector?: string },
): Predicate | undefined => {
  const labels = options.labelSelector === undefined ? undefined : parseLabelSelector(options.labelSelector)
  const fields =
    options.fieldSelector === undefined
      ? undefined
      : parseFieldSelector(options.fieldSelector, target.type.selectableFields)
  const { name } = target
  const predicates: Predicate[] = []
  if (name !== undefined) predicates.push((object) => object.metadata.name === name)
  if (labels !== undefined) predicates.push(labels)
  if (fields !== undefined) predicates.push(fields.matches)
  if (predicates.length === 0) return undefined
  return (object) => predicates.every((predicate) => predicate(object))
}

interface Token {
  readonly id: number
  readonly from: number
}

const encodeToken = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url')

const decodeToken = (text: string): Token => {
  try {
    const { id, from } = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Partial<Token>
    if (Number.isSafeInteger(id) && Number.isSafeInteger(from)) return { id: id as number, from: from as number }
  } catch {
    // Falls through to the one answer for every broken token.
  }
  throw badRequest('continue key is not valid')
}
