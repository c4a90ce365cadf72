import * as E from 'fp-ts/lib/Either.js'
import {
  Conditions,
  ingestCondition,
  Requirements,
  type Condition,
  type ConditionChange,
  type HashMark,
  type JsonObject,
  type NodeClassKind,
  type NodeClassObject,
  type ProviderModule,
  type Resolution,
} from '@scantling/core'
import type { Caches } from '../../cache/index.ts'
import type { ReconcileError, Reconciler } from '../../queue/index.ts'
import { conditionManifest, writeClaimMetadata } from '../claim-writes.ts'
import type { NodeClasses, NodeClassReadiness, ReconcilerContext } from '../context.ts'
import { nodeClassEvent } from '../event-records.ts'
import { hashAnnotations, nodeClassHashOf } from '../node-class-hash.ts'

const failedRetryMs = 10_000
// Claims by name in an event; it is read by people.
const namesTold = 5

// What every NodeClass has on the wire beside what providers are shown.
interface WireNodeClass extends NodeClassObject {
  readonly metadata: NodeClassObject['metadata'] & {
    readonly resourceVersion: string
    readonly deletionTimestamp?: string
    readonly finalizers?: ReadonlyArray<string>
  }
  readonly status?: { readonly conditions?: ReadonlyArray<Parameters<typeof ingestCondition>[0]> }
}

const conditionsOf = (nodeClass: NodeClassObject): ReadonlyArray<Condition> =>
  ((nodeClass as WireNodeClass).status?.conditions ?? []).map(ingestCondition)

const isDeleting = (nodeClass: NodeClassObject): boolean =>
  (nodeClass as WireNodeClass).metadata.deletionTimestamp !== undefined

/** Lookup of NodeClasses by reference, and what they say of themselves. */
export const makeNodeClasses = (
  caches: Pick<Caches, 'nodeClasses'>,
  kinds: ProviderModule<NodeClassObject>['nodeClasses'],
): NodeClasses => {
  const kindOf = (reference: { readonly group: string; readonly kind: string }) =>
    kinds.find(({ group, kind }) => group === reference.group && kind === reference.kind)
  const readiness = (nodeClass: NodeClassObject): NodeClassReadiness => {
    if (isDeleting(nodeClass)) return { _tag: 'Deleting' }
    const ready = Conditions.find(conditionsOf(nodeClass), 'Ready')
    // A verdict on an older spec is no verdict on this one.
    const isStale =
      ready?.observedGeneration !== undefined && ready.observedGeneration !== nodeClass.metadata.generation
    if (ready === undefined || ready.status === 'Unknown' || isStale) return { _tag: 'Unknown' }
    return ready.status === 'True'
      ? { _tag: 'Ready' }
      : { _tag: 'NotReady', reason: ready.reason, message: ready.message }
  }
  return {
    get: (reference) => caches.nodeClasses.get(`${reference.group}/${reference.kind}`)?.get(reference.name),
    isManaged: (reference) => kindOf(reference) !== undefined,
    readiness,
    isReady: (nodeClass) => readiness(nodeClass)._tag === 'Ready',
  }
}

/**
 * Lets the provider resolve one kind of NodeClass, and writes what it found: status, conditions, Ready, hash.
 *
 * On deletion it waits until no NodeClaim uses the class, lets the provider release what it made, and drops the
 * finalizer.
 */
export const nodeClassStatus = (context: ReconcilerContext, kind: NodeClassKind<NodeClassObject>): Reconciler => ({
  name: `${kind.kind.toLowerCase()}.status`,
  concurrency: 5,
  reconcile: (key) => async () => {
    const cache = context.caches.nodeClasses.get(`${kind.group}/${kind.kind}`)
    const nodeClass = cache?.get(key)
    if (cache === undefined || nodeClass === undefined) return E.right({})
    const { kube, provider, caches, state } = context
    const call = { signal: context.shutdown, cluster: context.clusterFacts() }
    const { metadata } = nodeClass as WireNodeClass
    const finalizers = metadata.finalizers ?? []
    const { finalizer } = kind
    const reference = `${kind.group}/${kind.kind}/${key}`
    if (isDeleting(nodeClass)) {
      if (finalizer === undefined || !finalizers.includes(finalizer)) return E.right({})
      const users = caches.nodeClaims.by('byNodeClass', reference)
      if (users.length > 0) {
        const names = users.map((claim) => claim.metadata.name).sort((a, b) => (a < b ? -1 : 1))
        const more = names.length > namesTold ? `, and ${names.length - namesTold} more` : ''
        const message = `Waiting on the end of NodeClaims ${names.slice(0, namesTold).join(', ')}${more}`
        const on = {
          apiVersion: `${kind.group}/${kind.versions[0].name}`,
          kind: kind.kind,
          name: key,
          uid: metadata.uid,
        }
        context.events.record(nodeClassEvent(on, 'Normal', 'WaitingOnNodeClaimTermination', message))
        return E.right({ requeueAfterMs: failedRetryMs })
      }
      const released = await (provider.release?.(nodeClass, call) ?? (async () => E.right(undefined)))()
      if (E.isLeft(released)) return released
      const rest = finalizers.filter((one) => one !== finalizer)
      const body = { metadata: { resourceVersion: metadata.resourceVersion, finalizers: rest } }
      return E.map(() => ({}))(await kube.patch(cache.kind, { name: key }, { type: 'merge', body })())
    }
    const mark = nodeClassHashOf(context, nodeClass, call.cluster)
    const marks = hashAnnotations(mark)
    const isMarked =
      (finalizer === undefined || finalizers.includes(finalizer)) &&
      Object.entries(marks).every(([name, value]) => metadata.annotations[name] === value)
    if (!isMarked) {
      const isOtherVersion = mark !== undefined && metadata.annotations[`${mark.key}-version`] !== mark.version
      const stamped = isOtherVersion ? await stampClaims(context, reference, mark) : E.right(undefined)
      if (E.isLeft(stamped)) return stamped
      const body = {
        metadata: {
          resourceVersion: metadata.resourceVersion,
          annotations: marks,
          ...(finalizer === undefined ? {} : { finalizers: [...new Set([...finalizers, finalizer])] }),
        },
      }
      const patched = await kube.patch(cache.kind, { name: key }, { type: 'merge', body })()
      if (E.isLeft(patched)) return patched
      cache.observe(patched.right)
      return E.right({})
    }
    const nodePools = caches.nodePools.by('byNodeClass', reference).map(({ metadata: { name }, spec }) => ({
      name,
      labels: spec.template.metadata.labels,
      requirements: Requirements.fromSpecs(spec.template.spec.requirements, state.labelRules.knowledge),
    }))
    const resolved = await (provider.resolve?.({ nodeClass, nodePools }, call) ?? (async () => E.right(ready)))()
    if (E.isLeft(resolved)) return resolved
    const written = await writeResolution(context, kind, nodeClass, resolved.right)
    if (E.isLeft(written)) return written
    const { failures = [], recheckAfterMs } = resolved.right
    for (const failure of failures)
      context.log.warn('NodeClass is not resolved', { [kind.kind]: key, error: failure.message })
    const waitMs = failures.length > 0 ? (failures[0]?.retryAfterMs ?? failedRetryMs) : recheckAfterMs
    return E.right(waitMs === undefined ? {} : { requeueAfterMs: waitMs })
  },
})

// A provider with nothing to resolve has classes that are always Ready.
const ready: Resolution = { status: {}, conditions: {} }

// Claims hashed by another version are stamped anew, not replaced, unless they are known to have drifted: that is how
// machines of the reference are adopted.
const stampClaims = async (
  context: ReconcilerContext,
  reference: string,
  mark: HashMark,
): Promise<E.Either<ReconcileError, void>> => {
  const { caches, views } = context
  const version = `${mark.key}-version`
  for (const object of caches.nodeClaims.by('byNodeClass', reference)) {
    const claim = views.claim(object)
    const isLaunched = Conditions.isTrue(claim.conditions, 'Launched')
    if (!isLaunched || claim.annotations[version] === mark.version) continue
    const isDrifted = Conditions.find(claim.conditions, 'Drifted') !== undefined
    const { [mark.key]: hash, ...others } = hashAnnotations(mark)
    const annotations = isDrifted || hash === undefined ? others : { ...others, [mark.key]: hash }
    const stamped = await writeClaimMetadata(context, claim, { annotations })()
    if (E.isLeft(stamped)) return stamped
  }
  return E.right(undefined)
}

const writeResolution = async (
  context: ReconcilerContext,
  { group, kind }: NodeClassKind<NodeClassObject>,
  nodeClass: NodeClassObject,
  { status, conditions }: Resolution,
) => {
  const cache = context.caches.nodeClasses.get(`${group}/${kind}`)
  if (cache === undefined) return E.right(undefined)
  const { generation, name } = nodeClass.metadata
  const nowMs = context.clock.nowMs()
  const at = { nowMs, createdAtMs: nowMs, generation, dependents: [] as ReadonlyArray<string> }
  const present = conditionsOf(nodeClass)
  const changes = Object.entries(conditions).flatMap(([type, verdict]): ReadonlyArray<ConditionChange> =>
    verdict === 'unchanged' ? [] : [{ type, ...verdict }],
  )
  const changed = Conditions.apply(present, changes, at)
  const rolled = Conditions.apply(changed, [Conditions.rollUp(changed, Object.keys(conditions), generation)], at)
  const { conditions: _, ...known } = ((nodeClass as WireNodeClass).status ?? {}) as JsonObject
  const isSame =
    JSON.stringify(rolled) === JSON.stringify(Conditions.apply(present, [], at)) &&
    Object.entries(status).every(([field, value]) => JSON.stringify(known[field]) === JSON.stringify(value))
  if (isSame) return E.right(undefined)
  const body = { status: { ...status, conditions: rolled.map(conditionManifest) } }
  const patched = await context.kube.patchStatus(cache.kind, { name }, { type: 'merge', body })()
  if (E.isLeft(patched)) return patched
  cache.observe(patched.right)
  return E.right(undefined)
}
