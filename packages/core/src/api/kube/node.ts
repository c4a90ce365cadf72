import { decoderOf, s, type TypeOf } from '../../schema/index.ts'
import {
  clusterMetadata,
  identityOf,
  kubeConditionSchema,
  namespacedMetadata,
  resourceListSchema,
  taintSchema,
} from './metadata.ts'

export const nodeSchema = s.named(
  'Node',
  s.object({
    ...identityOf('v1', 'Node'),
    metadata: clusterMetadata,
    spec: s.filledIn(
      s.object({
        providerID: s.optional(s.string({ emptyIsAbsent: true })),
        taints: s.filledIn(s.array(taintSchema), []),
        unschedulable: s.filledIn(s.boolean(), false),
      }),
      {},
    ),
    status: s.filledIn(
      s.object({
        capacity: s.filledIn(resourceListSchema, {}),
        allocatable: s.filledIn(resourceListSchema, {}),
        conditions: s.filledIn(s.array(kubeConditionSchema), []),
        nodeInfo: s.filledIn(
          s.object({
            kubeletVersion: s.filledIn(s.string(), ''),
            architecture: s.filledIn(s.string(), ''),
            operatingSystem: s.filledIn(s.string(), ''),
          }),
          {},
        ),
      }),
      {},
    ),
  }),
)

/** A Node as on the wire, cut down to what is read. */
export interface NodeObject extends TypeOf<typeof nodeSchema> {}
export const decodeNode = decoderOf<NodeObject>(nodeSchema)

export const namespaceSchema = s.named(
  'Namespace',
  s.object({
    ...identityOf('v1', 'Namespace'),
    metadata: clusterMetadata,
    status: s.filledIn(s.object({ phase: s.optional(s.string()) }), {}),
  }),
)
export interface NamespaceObject extends TypeOf<typeof namespaceSchema> {}
export const decodeNamespace = decoderOf<NamespaceObject>(namespaceSchema)

export const priorityClassSchema = s.named(
  'PriorityClass',
  s.object({
    ...identityOf('scheduling.k8s.io/v1', 'PriorityClass'),
    metadata: clusterMetadata,
    value: s.integer(),
    globalDefault: s.filledIn(s.boolean(), false),
    preemptionPolicy: s.optional(s.string()),
  }),
)
export interface PriorityClassObject extends TypeOf<typeof priorityClassSchema> {}
export const decodePriorityClass = decoderOf<PriorityClassObject>(priorityClassSchema)

export const leaseSchema = s.named(
  'Lease',
  s.object({
    ...identityOf('coordination.k8s.io/v1', 'Lease'),
    metadata: namespacedMetadata,
    spec: s.filledIn(
      s.object({
        holderIdentity: s.optional(s.string()),
        leaseDurationSeconds: s.optional(s.integer()),
        acquireTime: s.optional(s.instant()),
        renewTime: s.optional(s.instant()),
        leaseTransitions: s.optional(s.integer()),
      }),
      {},
    ),
  }),
)
export interface LeaseObject extends TypeOf<typeof leaseSchema> {}
export const decodeLease = decoderOf<LeaseObject>(leaseSchema)
