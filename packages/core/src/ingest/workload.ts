import type { DaemonSetObject, PodDisruptionBudgetObject, PodObject } from '../api/index.ts'
import type { DaemonSet, PodDisruptionBudget } from '../cluster/index.ts'
import { ingestPod, type PodInterner } from './pod.ts'
import { withLimitsAsRequests } from './pod-requests.ts'

/**
 * A DaemonSet with the shape that its pods have (P-DMN-01).
 *
 * `newest` is its newest live pod, if any: it carries what admission made of the template. The template's required node
 * affinity stands in for the pod's own, which the DaemonSet controller narrowed to one node.
 *
 * @example
 * const decoded = decodeDaemonSet({
 *   metadata: { name: 'agent', namespace: 'kube-system' },
 *   spec: { selector: {}, template: { spec: { containers: [{ resources: { requests: { cpu: '100m' } } }] } } },
 * })
 * decoded._tag === 'Right' && ingestDaemonSet(decoded.right, undefined, makePodInterner()).pod.requests
 * // => { cpu: '100m', pods: '1' }
 */
export const ingestDaemonSet = (
  object: DaemonSetObject,
  newest: PodObject | undefined,
  interner: PodInterner,
): DaemonSet => {
  const { metadata, spec } = object
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    pod: ingestPod(newest === undefined ? podOfTemplate(object) : withAffinityOf(spec.template.spec, newest), interner),
  }
}

const podOfTemplate = ({ metadata, spec }: DaemonSetObject): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: metadata.name,
    namespace: metadata.namespace,
    uid: '',
    resourceVersion: '',
    generation: 0,
    labels: {},
    annotations: {},
    finalizers: [],
    ownerReferences: [],
  },
  spec: withLimitsAsRequests(spec.template.spec),
  status: { phase: 'Pending', conditions: [], containerStatuses: [], initContainerStatuses: [] },
})

const withAffinityOf = (template: PodObject['spec'], pod: PodObject): PodObject => {
  const required = template.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required === undefined) return pod
  const { affinity } = pod.spec
  return {
    ...pod,
    spec: {
      ...pod.spec,
      affinity: {
        ...affinity,
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [],
          ...affinity?.nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: required,
        },
      },
    },
  }
}

/**
 * The newest of a DaemonSet's pods, by the uid in their controlling reference.
 *
 * Cost: one pass over `pods`; a cache that indexes pods by owner hands over only those.
 *
 * @example
 * const decoded = decodeDaemonSet({
 *   metadata: { name: 'agent', namespace: 'kube-system' },
 *   spec: { selector: {}, template: { spec: { containers: [] } } },
 * })
 * decoded._tag === 'Right' && newestPodOf(decoded.right, []) // => undefined
 */
export const newestPodOf = (
  { metadata: { namespace, uid } }: DaemonSetObject,
  pods: Iterable<PodObject>,
): PodObject | undefined => {
  let newest: PodObject | undefined
  for (const pod of pods) {
    if (pod.metadata.namespace !== namespace || uid === '') continue
    if (!pod.metadata.ownerReferences.some((owner) => owner.controller === true && owner.uid === uid)) continue
    if (newest === undefined || createdAt(pod) > createdAt(newest)) newest = pod
  }
  return newest
}

// Creation stamps are of one form and in UTC, so their text orders as their time does.
const createdAt = ({ metadata }: PodObject) => metadata.creationTimestamp ?? ''

/**
 * A PodDisruptionBudget as planners read it.
 *
 * @example
 * const decoded = decodePodDisruptionBudget({
 *   metadata: { name: 'web', namespace: 'default' },
 *   spec: { maxUnavailable: 1 },
 * })
 * decoded._tag === 'Right' && ingestPodDisruptionBudget(decoded.right).maxUnavailable // => '1'
 */
export const ingestPodDisruptionBudget = ({
  metadata,
  spec,
  status,
}: PodDisruptionBudgetObject): PodDisruptionBudget => ({
  namespace: metadata.namespace,
  name: metadata.name,
  ...(spec.selector === undefined ? {} : { selector: spec.selector }),
  ...(spec.minAvailable === undefined ? {} : { minAvailable: spec.minAvailable }),
  ...(spec.maxUnavailable === undefined ? {} : { maxUnavailable: spec.maxUnavailable }),
  disruptionsAllowed: status.disruptionsAllowed,
  unhealthyPodEvictionPolicy: spec.unhealthyPodEvictionPolicy,
})
