import type { KubeObject, WriteOptions } from '../face.ts'
import { kindSubject, type Core, type Target } from './core.ts'
import { deleteObject, parseDeleteOptions } from './deletion.ts'
import {
  badRequest,
  conflict,
  disruptionBudgetExceeded,
  internal,
  invalid,
  notFound,
  requiredValue,
  type Subject,
} from './failures.ts'
import { timestamp } from './identity.ts'
import { objectAt, objectsAt, stringAt, type JsonObject } from './json.ts'
import { matchesLabelSelector } from './selectors.ts'

const success = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code: 201,
} as unknown as KubeObject

const podNamed = (core: Core, namespace: string, name: string): KubeObject => {
  const pod = core.store.collection('pods').get(namespace, name)
  if (pod === undefined) throw notFound({ group: '', kind: 'pods', name })
  return pod
}

/** The pod with `condition` put in place of the one of the same type. */
const withCondition = (pod: KubeObject, condition: JsonObject & { readonly type: string }): KubeObject => {
  const status = objectAt(pod, 'status') ?? {}
  const others = objectsAt(status, 'conditions').filter((each) => each['type'] !== condition.type)
  return { ...pod, status: { ...status, conditions: [...others, condition] } }
}

/**
 * Binds a pod to a node: sets `spec.nodeName`, merges annotations, and sets the PodScheduled condition.
 *
 * Errors: 404; 409 for a pod that is bound, being deleted, gated, or another one than the binding's UID says.
 */
export const bindPod = (core: Core, target: Target, body: JsonObject, options: WriteOptions): KubeObject => {
  const name = target.name ?? stringAt(objectAt(body, 'metadata'), 'name') ?? ''
  const pod = podNamed(core, target.namespace, name)
  const subject: Subject = { group: '', kind: 'pods/binding', name }
  const nodeName = stringAt(objectAt(body, 'target'), 'name')
  if (!nodeName) throw invalid({ group: '', kind: 'Binding', name }, [requiredValue('target.name')])
  const given = objectAt(body, 'metadata')
  const uid = stringAt(given, 'uid')
  if (uid && uid !== pod.metadata.uid) {
    throw conflict(subject, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`)
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(subject, `pod ${name} is being deleted, cannot be assigned to a host`)
  }
  const spec = objectAt(pod, 'spec') ?? {}
  const bound = stringAt(spec, 'nodeName')
  if (bound) throw conflict(subject, `pod ${name} is already assigned to node "${bound}"`)
  if (objectsAt(spec, 'schedulingGates').length > 0) {
    throw conflict(subject, `pod ${name} has non-empty .spec.schedulingGates`)
  }
  const annotations = { ...pod.metadata.annotations, ...objectAt(given, 'annotations') } as Record<string, string>
  const metadata = Object.keys(annotations).length === 0 ? pod.metadata : { ...pod.metadata, annotations }
  const next = withCondition(
    { ...pod, metadata, spec: { ...spec, nodeName } },
    { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: timestamp(core.clock.nowMs()) },
  )
  if (options.dryRun !== true) core.store.put('pods', next)
  return success
}

/**
 * Evicts a pod: deletes it if every PodDisruptionBudget that selects it allows one more disruption.
 *
 * Errors: 404; 429 TooManyRequests with a DisruptionBudget cause; 500 for a pod with more than one budget.
 */
export const evictPod = (core: Core, target: Target, body: JsonObject, options: WriteOptions): KubeObject => {
  const name = target.name ?? ''
  const given = stringAt(objectAt(body, 'metadata'), 'name')
  if (given !== undefined && given !== '' && given !== name)
    throw badRequest('name in URL does not match name in Eviction object')
  const pod = podNamed(core, target.namespace, name)
  const deletion = parseDeleteOptions(objectAt(body, 'deleteOptions'))
  const dryRun = options.dryRun === true || deletion.dryRun === true
  const type = target.type
  if (!needsBudget(pod)) {
    deleteObject(core, 'pods', type, pod, { ...deletion, dryRun })
    return success
  }
  const budgets = core.store
    .collection('poddisruptionbudgets.policy')
    .sorted(target.namespace)
    .filter((budget) => selectsPod(budget, pod))
  if (budgets.length > 1) {
    throw internal('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.')
  }
  const [budget] = budgets
  if (budget !== undefined && !mayEvictUnready(budget, pod)) {
    const charged = charge(core, budget, name)
    if (!dryRun) core.store.put('poddisruptionbudgets.policy', charged)
  }
  if (dryRun) return success
  const marked = core.store.put(
    'pods',
    withCondition(pod, {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
      lastProbeTime: null,
      lastTransitionTime: timestamp(core.clock.nowMs()),
    }),
  )
  // The mark changed the resource version, so a precondition on it was checked against the pod as it was.
  const { resourceVersion, ...preconditions } = deletion.preconditions ?? {}
  if (resourceVersion !== undefined && resourceVersion !== pod.metadata.resourceVersion) {
    throw conflict(
      kindSubject({ ...type, kind: 'pods' }, name),
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`,
    )
  }
  deleteObject(core, 'pods', type, marked, { ...deletion, preconditions })
  return success
}

// Pods that serve nobody go without asking a budget. Source: Kubernetes' documentation of API-initiated eviction.
const needsBudget = (pod: KubeObject): boolean => {
  const phase = stringAt(objectAt(pod, 'status'), 'phase')
  const idle = phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending'
  return !idle && pod.metadata.deletionTimestamp === undefined
}

const selectsPod = (budget: KubeObject, pod: KubeObject): boolean => {
  const selector = objectAt(budget, 'spec')?.['selector']
  return selector !== undefined && selector !== null && matchesLabelSelector(selector, pod.metadata.labels)
}

const mayEvictUnready = (budget: KubeObject, pod: KubeObject): boolean => {
  const ready = objectsAt(objectAt(pod, 'status'), 'conditions').some(
    (condition) => condition['type'] === 'Ready' && condition['status'] === 'True',
  )
  if (ready) return false
  if (stringAt(objectAt(budget, 'spec'), 'unhealthyPodEvictionPolicy') === 'AlwaysAllow') return true
  const status = objectAt(budget, 'status')
  const currentHealthy = numberAt(status, 'currentHealthy')
  const desiredHealthy = numberAt(status, 'desiredHealthy')
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy
}

const numberAt = (object: JsonObject | undefined, key: string): number => {
  const value = object?.[key]
  return typeof value === 'number' ? value : 0
}

/** The budget after one disruption, or the 429 that says why there is none left. */
const charge = (core: Core, budget: KubeObject, podName: string): KubeObject => {
  const { name, generation = 0 } = budget.metadata
  const status = objectAt(budget, 'status')
  if (numberAt(status, 'observedGeneration') < generation) {
    throw disruptionBudgetExceeded(`The disruption budget ${name} is still being processed by the server.`, 10)
  }
  const allowed = numberAt(status, 'disruptionsAllowed')
  if (allowed <= 0) {
    throw disruptionBudgetExceeded(
      `The disruption budget ${name} needs ${numberAt(status, 'desiredHealthy')} healthy pods and has ${numberAt(status, 'currentHealthy')} currently`,
      0,
    )
  }
  const disruptedPods = { ...objectAt(status, 'disruptedPods'), [podName]: timestamp(core.clock.nowMs()) }
  return { ...budget, status: { ...status, disruptionsAllowed: allowed - 1, disruptedPods } }
}
