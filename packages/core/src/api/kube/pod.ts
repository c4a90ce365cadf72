import { annotationKeys } from '../../labels/index.ts'
import { decoderOf, s, type TypeOf } from '../../schema/index.ts'
import {
  identityOf,
  kubeConditionSchema,
  labelSelectorSchema,
  namespacedMetadataWith,
  resourceListSchema,
  textByKey,
} from './metadata.ts'

const podAnnotations = [
  annotationKeys.doNotDisrupt,
  annotationKeys.podDisruptionCost,
  annotationKeys.podDeletionCost,
  annotationKeys.mirrorPod,
  annotationKeys.bufferFakePod,
  annotationKeys.bufferName,
  annotationKeys.bufferNamespace,
]

const resourcesSchema = s.object({
  requests: s.filledIn(resourceListSchema, {}),
  limits: s.filledIn(resourceListSchema, {}),
  claims: s.optional(s.array(s.object({ name: s.string() }))),
})

const containerSchema = s.object({
  name: s.filledIn(s.string(), ''),
  resources: s.filledIn(resourcesSchema, {}),
  ports: s.filledIn(
    s.array(
      s.object({
        containerPort: s.optional(s.integer()),
        hostPort: s.optional(s.integer()),
        hostIP: s.optional(s.string({ emptyIsAbsent: true })),
        protocol: s.filledIn(s.string(), 'TCP'),
      }),
    ),
    [],
  ),
  /** `Always` on an init container makes it a sidecar. */
  restartPolicy: s.optional(s.string({ emptyIsAbsent: true })),
})

const nodeRequirementSchema = s.object({
  key: s.string(),
  operator: s.literals(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  values: s.optional(s.array(s.string())),
})

/** Also the form of a volume's node affinity. */
export const nodeSelectorTermSchema = s.object({
  matchExpressions: s.filledIn(s.array(nodeRequirementSchema), []),
  matchFields: s.filledIn(s.array(nodeRequirementSchema), []),
})

const podAffinityTermSchema = s.object({
  topologyKey: s.string(),
  labelSelector: s.optional(labelSelectorSchema),
  namespaces: s.filledIn(s.array(s.string()), []),
  namespaceSelector: s.optional(labelSelectorSchema),
  matchLabelKeys: s.filledIn(s.array(s.string()), []),
  mismatchLabelKeys: s.filledIn(s.array(s.string()), []),
})

const podAffinitySchema = s.object({
  requiredDuringSchedulingIgnoredDuringExecution: s.filledIn(s.array(podAffinityTermSchema), []),
  preferredDuringSchedulingIgnoredDuringExecution: s.filledIn(
    s.array(s.object({ weight: s.integer(), podAffinityTerm: podAffinityTermSchema })),
    [],
  ),
})

const affinitySchema = s.object({
  nodeAffinity: s.optional(
    s.object({
      requiredDuringSchedulingIgnoredDuringExecution: s.optional(
        s.object({ nodeSelectorTerms: s.filledIn(s.array(nodeSelectorTermSchema), []) }),
      ),
      preferredDuringSchedulingIgnoredDuringExecution: s.filledIn(
        s.array(s.object({ weight: s.integer(), preference: nodeSelectorTermSchema })),
        [],
      ),
    }),
  ),
  podAffinity: s.optional(podAffinitySchema),
  podAntiAffinity: s.optional(podAffinitySchema),
})

const tolerationSchema = s.object({
  key: s.optional(s.string({ emptyIsAbsent: true })),
  operator: s.optional(s.literals(['Equal', 'Exists', 'Gt', 'Lt'], { emptyIsAbsent: true })),
  value: s.optional(s.string({ emptyIsAbsent: true })),
  effect: s.optional(s.literals(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], { emptyIsAbsent: true })),
  tolerationSeconds: s.optional(s.integer()),
})

const topologySpreadSchema = s.object({
  topologyKey: s.string(),
  maxSkew: s.integer(),
  whenUnsatisfiable: s.literals(['DoNotSchedule', 'ScheduleAnyway']),
  labelSelector: s.optional(labelSelectorSchema),
  matchLabelKeys: s.filledIn(s.array(s.string()), []),
  minDomains: s.optional(s.integer()),
  nodeAffinityPolicy: s.optional(s.literals(['Honor', 'Ignore'])),
  nodeTaintsPolicy: s.optional(s.literals(['Honor', 'Ignore'])),
})

const volumeSchema = s.object({
  name: s.string(),
  persistentVolumeClaim: s.optional(s.object({ claimName: s.string() })),
  ephemeral: s.optional(
    s.object({
      volumeClaimTemplate: s.optional(
        s.object({ spec: s.filledIn(s.object({ storageClassName: s.optional(s.string()) }), {}) }),
      ),
    }),
  ),
  csi: s.optional(s.object({ driver: s.string() })),
})

export const podSpecSchema = s.object({
  nodeName: s.optional(s.string({ emptyIsAbsent: true })),
  nodeSelector: s.filledIn(textByKey, {}),
  affinity: s.optional(affinitySchema),
  tolerations: s.filledIn(s.array(tolerationSchema), []),
  topologySpreadConstraints: s.filledIn(s.array(topologySpreadSchema), []),
  containers: s.filledIn(s.array(containerSchema), []),
  initContainers: s.filledIn(s.array(containerSchema), []),
  overhead: s.filledIn(resourceListSchema, {}),
  /** Pod-level requests, which take the place of the containers' for the resources they name. */
  resources: s.optional(resourcesSchema),
  volumes: s.filledIn(s.array(volumeSchema), []),
  resourceClaims: s.filledIn(s.array(s.object({ name: s.string() })), []),
  priority: s.optional(s.integer()),
  priorityClassName: s.optional(s.string({ emptyIsAbsent: true })),
  preemptionPolicy: s.optional(s.string({ emptyIsAbsent: true })),
  schedulerName: s.optional(s.string({ emptyIsAbsent: true })),
  schedulingGates: s.filledIn(s.array(s.object({ name: s.string() })), []),
  hostNetwork: s.optional(s.boolean()),
  runtimeClassName: s.optional(s.string({ emptyIsAbsent: true })),
  terminationGracePeriodSeconds: s.optional(s.integer()),
})

const containerStatusSchema = s.object({
  name: s.string(),
  allocatedResources: s.filledIn(resourceListSchema, {}),
  resources: s.optional(resourcesSchema),
})

const podStatusSchema = s.object({
  phase: s.filledIn(s.literals(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']), 'Pending'),
  conditions: s.filledIn(s.array(kubeConditionSchema), []),
  nominatedNodeName: s.optional(s.string({ emptyIsAbsent: true })),
  startTime: s.optional(s.instant()),
  containerStatuses: s.filledIn(s.array(containerStatusSchema), []),
  initContainerStatuses: s.filledIn(s.array(containerStatusSchema), []),
})

export const podSchema = s.named(
  'Pod',
  s.object({
    ...identityOf('v1', 'Pod'),
    metadata: namespacedMetadataWith(podAnnotations),
    spec: podSpecSchema,
    status: s.filledIn(podStatusSchema, {}),
  }),
)

/** A Pod as on the wire, cut down to what planners read; never environment values or arguments. */
export interface PodObject extends TypeOf<typeof podSchema> {}
export interface PodSpecObject extends TypeOf<typeof podSpecSchema> {}
/**
 * Decodes a Pod as far as planners read it; the other kinds have decoders of the same form.
 *
 * Errors: every wrong field, in the form of {@link FieldError}.
 *
 * @example
 * const decoded = decodePod({
 *   metadata: { name: 'web-0' },
 *   spec: { containers: [{ resources: { requests: { cpu: 0.5 } } }] },
 * })
 * decoded._tag === 'Right' && decoded.right.spec.containers[0]?.resources.requests // => { cpu: '500m' }
 */
export const decodePod = decoderOf<PodObject>(podSchema)

/** What workloads make pods from. */
export const podTemplateSchema = s.object({
  metadata: s.filledIn(
    s.object({
      labels: s.filledIn(textByKey, {}),
      annotations: s.filledIn(s.record(s.string(), { only: podAnnotations }), {}),
    }),
    {},
  ),
  spec: podSpecSchema,
})
export interface PodTemplateObject extends TypeOf<typeof podTemplateSchema> {}
