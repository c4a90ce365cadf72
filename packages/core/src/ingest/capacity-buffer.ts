import type { CapacityBufferObject, PodTemplateObject } from '../api/index.ts'
import type { BufferSource, CapacityBuffer, Pod } from '../cluster/index.ts'
import { instantMs } from './instant.ts'
import { ingestPod, type PodInterner } from './pod.ts'
import { withLimitsAsRequests } from './pod-requests.ts'
import { ingestCondition } from './state-node.ts'

/**
 * A CapacityBuffer as planners read it.
 *
 * @example
 * const decoded = decodeCapacityBuffer({
 *   metadata: { name: 'spare', namespace: 'default' },
 *   spec: { replicas: 3, podTemplateRef: { name: 'unit' } },
 * })
 * decoded._tag === 'Right' && ingestCapacityBuffer(decoded.right).replicas // => 3
 */
export const ingestCapacityBuffer = ({ metadata, spec, status }: CapacityBufferObject): CapacityBuffer => {
  const { replicas, percentage, limits, provisioningStrategy } = spec
  const source = sourceOf(spec)
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    generation: metadata.generation,
    createdAtMs: instantMs(metadata.creationTimestamp),
    ...(source === undefined ? {} : { source }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(percentage === undefined ? {} : { percentage }),
    ...(limits === undefined ? {} : { limits }),
    provisioningStrategy,
    conditions: status.conditions.map(ingestCondition),
  }
}

const sourceOf = ({ podTemplateRef, scalableRef }: CapacityBufferObject['spec']): BufferSource | undefined => {
  if (podTemplateRef !== undefined) return { _tag: 'PodTemplate', name: podTemplateRef.name }
  if (scalableRef === undefined) return undefined
  const { apiGroup = '', kind, name } = scalableRef
  return { _tag: 'Scalable', apiGroup, kind, name }
}

// Below every priority that a pod can have; nothing orders by it (P-CBA-04).
const leastPriority = -(2 ** 31)

/**
 * The shape of one unit of a buffer: a pod that waits for a machine (P-CBC-05).
 *
 * Volumes with claims are left out, because every unit would ask for the same claim, and so is a node's name.
 *
 * @example
 * import { podObject } from '@scantling/core/testing'
 * const { metadata, spec } = podObject('unit', { cpu: '1' })
 * const buffer = { namespace: 'default', name: 'spare', uid: 'uid-1' }
 * const unit = ingestBufferTemplate({ metadata, spec }, buffer, makePodInterner())
 * unit.requests // => { cpu: '1', pods: '1' }
 */
export const ingestBufferTemplate = (
  template: PodTemplateObject,
  { namespace, name, uid }: Pick<CapacityBuffer, 'namespace' | 'name' | 'uid'>,
  interner: PodInterner,
): Pod => {
  const spec = withLimitsAsRequests(template.spec)
  const { nodeName: _bound, ...unbound } = spec
  return {
    ...ingestPod(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: `capacity-buffer-${name}`,
          namespace,
          uid,
          resourceVersion: '',
          generation: 0,
          labels: template.metadata.labels,
          annotations: {},
          finalizers: [],
          ownerReferences: [],
        },
        spec: {
          ...unbound,
          volumes: spec.volumes.filter(
            ({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim === undefined && ephemeral === undefined,
          ),
        },
        status: { phase: 'Pending', conditions: [], containerStatuses: [], initContainerStatuses: [] },
      },
      interner,
    ),
    isUnschedulable: true,
    priority: leastPriority,
    buffer: `${namespace}/${name}`,
  }
}
