import * as E from 'fp-ts/lib/Either.js'
import {
  bufferSize,
  ingestBufferTemplate,
  makePodInterner,
  type BufferSource,
  type CapacityBuffer,
  type ConditionChange,
  type PodTemplateObject,
  type ProvisioningPlan,
} from '@scantling/core'
import type { Batcher } from '../../batcher/index.ts'
import type { Caches } from '../../cache/index.ts'
import { featureKinds } from '../../kube/index.ts'
import type { ReconcileError, Reconciler, RunningReconciler } from '../../queue/index.ts'
import type { BufferCell } from '../../state/index.ts'
import { writeConditions } from '../condition-writes.ts'
import type { ReconcilerContext } from '../context.ts'

// Workloads are not watched, so their size is looked up this often (P-CBC-01).
const pollMs = 30_000

type BufferCaches = NonNullable<Caches['buffers']>

/** One unit of a buffer as its source describes it. */
interface Resolved {
  readonly template: PodTemplateObject
  readonly workloadReplicas?: number
  readonly podTemplateGeneration?: number
}

interface Unresolved {
  readonly reason: 'PodTemplateNotFound' | 'ScalableRefNotFound' | 'ResolutionFailed'
  readonly message: string
  /** Set: worth trying again at once, with back-off. */
  readonly error?: ReconcileError
}

/** Resolves a CapacityBuffer into placeholder pods. P-CBC-01…05, P-BAT-05. */
export const capacityBuffers = (
  context: ReconcilerContext,
  { capacityBuffers: cache, podTemplates }: BufferCaches,
  cell: BufferCell,
  batcher: Batcher,
): Reconciler => {
  const interner = makePodInterner()
  return {
    name: 'capacitybuffer',
    concurrency: 10,
    reconcile: (key) => async () => {
      const object = cache.get(key)
      const buffer = cell.get(key)
      if (object === undefined || buffer === undefined || object.metadata.deletionTimestamp !== undefined) {
        cell.resolve(key, undefined)
        // The next pass lets go of the room that was kept for it.
        batcher.trigger(key)
        return E.right({})
      }
      const resolved = await resolve(context, podTemplates, buffer)
      const { provisioningStrategy, source } = buffer
      if (E.isLeft(resolved)) {
        const { reason, message, error } = resolved.left
        cell.resolve(key, undefined)
        const change: ConditionChange = { type: 'ReadyForProvisioning', status: 'False', reason, message }
        const written = await writeConditions(context, cache, object, [change], { fields: { provisioningStrategy } })
        if (E.isLeft(written)) return written
        batcher.trigger(buffer.uid)
        return error === undefined ? E.right({ requeueAfterMs: pollMs }) : E.left(error)
      }
      const { template, workloadReplicas, podTemplateGeneration } = resolved.right
      const unit = ingestBufferTemplate(template, buffer, interner)
      const size = bufferSize(buffer, {
        requests: unit.requests,
        ...(workloadReplicas === undefined ? {} : { workloadReplicas }),
      })
      cell.resolve(key, { template: unit, size })
      const ready: ConditionChange = { type: 'ReadyForProvisioning', status: 'True', reason: 'Resolved' }
      const written = await writeConditions(context, cache, object, [ready], {
        fields: {
          provisioningStrategy,
          replicas: size,
          ...(source?._tag === 'PodTemplate' ? { podTemplateRef: { name: source.name } } : {}),
          ...(podTemplateGeneration === undefined ? {} : { podTemplateGeneration }),
        },
      })
      if (E.isLeft(written)) return written
      batcher.trigger(buffer.uid)
      return E.right({ requeueAfterMs: pollMs })
    },
  }
}

const resolve = async (
  { kube }: Pick<ReconcilerContext, 'kube'>,
  podTemplates: BufferCaches['podTemplates'],
  { source, namespace }: CapacityBuffer,
): Promise<E.Either<Unresolved, Resolved>> => {
  if (source === undefined)
    return E.left({ reason: 'ResolutionFailed', message: 'Neither podTemplateRef nor scalableRef is set; set one' })
  if (source._tag === 'PodTemplate') {
    const found = podTemplates.get(`${namespace}/${source.name}`)
    if (found === undefined)
      return E.left({ reason: 'PodTemplateNotFound', message: `PodTemplate ${source.name} does not exist; create it` })
    return E.right({ template: found.template, podTemplateGeneration: found.metadata.generation })
  }
  return resolveWorkload(kube, source, namespace)
}

const workloadKinds = {
  Deployment: featureKinds.deployments,
  StatefulSet: featureKinds.statefulSets,
  ReplicaSet: featureKinds.replicaSets,
} as const

const resolveWorkload = async (
  kube: ReconcilerContext['kube'],
  { apiGroup, kind, name }: Extract<BufferSource, { readonly _tag: 'Scalable' }>,
  namespace: string,
): Promise<E.Either<Unresolved, Resolved>> => {
  const isKnown = (apiGroup === '' || apiGroup === 'apps') && Object.hasOwn(workloadKinds, kind)
  if (!isKnown)
    return E.left({
      reason: 'ResolutionFailed',
      message: `Cannot read the scale of ${kind} in group ${apiGroup || '""'}: expected Deployment, StatefulSet or ReplicaSet of apps`,
    })
  const workload = workloadKinds[kind as keyof typeof workloadKinds]
  const found = await kube.get(workload as typeof featureKinds.deployments, { name, namespace })()
  if (E.isRight(found))
    return E.right({ template: found.right.spec.template, workloadReplicas: found.right.spec.replicas })
  if (found.left._tag === 'NotFound')
    return E.left({ reason: 'ScalableRefNotFound', message: `${kind} ${name} does not exist; create it` })
  return E.left({ reason: 'ResolutionFailed', message: found.left.message, error: found.left })
}

/** Resolves buffers again as they and their PodTemplates change. Returns what stops that. */
export const watchBuffers = (
  { capacityBuffers: cache, podTemplates }: BufferCaches,
  { queue }: RunningReconciler,
): (() => void) => {
  const wakeAll = () => {
    for (const { metadata } of cache.values()) queue.add(`${metadata.namespace}/${metadata.name}`)
  }
  const stops = [
    cache.onChange((change) => {
      if (change._tag !== 'Modified' || change.previous.metadata.generation !== change.current.metadata.generation)
        queue.add(change.key)
    }),
    podTemplates.onChange(wakeAll),
  ]
  wakeAll()
  return () => {
    for (const stop of stops) stop()
  }
}

/** Takes in what a pass made of the placeholders, and says so in the buffers' condition Provisioning. P-CBC-07, P-CBC-08. */
export const settleBuffers = async (
  context: ReconcilerContext,
  plan: Pick<ProvisioningPlan, 'launches' | 'placements' | 'rejections'>,
): Promise<void> => {
  const { caches, features, log } = context
  if (features.buffers === undefined || caches.buffers === undefined) return
  const { conditions } = features.buffers.settle(plan)
  for (const [key, change] of conditions) {
    const object = caches.buffers.capacityBuffers.get(key)
    if (object === undefined) continue
    const written = await writeConditions(context, caches.buffers.capacityBuffers, object, [change])
    // The next pass says it again.
    if (E.isLeft(written))
      log.debug('Cannot say what became of a buffer', { CapacityBuffer: key, error: written.left.message })
  }
}
