import { decoderOf, s, type TypeOf } from '../../schema/index.ts'
import type { CustomResource } from '../custom-resource.ts'
import { identityOf, namespacedMetadata } from '../kube/index.ts'
import { conditionsSchema, resourceListField } from '../v1/index.ts'

/** The one strategy that exists. */
export const activeCapacityStrategy = 'buffer.x-k8s.io/active-capacity'

const reference = (description: string) =>
  s.object({ name: s.string({ description: 'Its name.', minLength: 1 }) }, { description })

interface BufferShape {
  readonly podTemplateRef?: object
  readonly scalableRef?: object
  readonly replicas?: number
  readonly limits?: object
}

const specSchema = s.object(
  {
    provisioningStrategy: s.defaulted(
      s.string({ description: 'How the buffer is kept: by placeholder pods that count as pending.' }),
      activeCapacityStrategy,
    ),
    podTemplateRef: s.optional(reference('The PodTemplate of one unit of the buffer. Excludes scalableRef.')),
    scalableRef: s.optional(
      s.object(
        {
          apiGroup: s.optional(s.string({ description: 'Its API group; empty for the core group.' })),
          kind: s.string({ description: 'Its kind.', minLength: 1 }),
          name: s.string({ description: 'Its name.', minLength: 1 }),
        },
        { description: 'A workload with a scale sub-resource whose pods are the unit. Excludes podTemplateRef.' },
      ),
    ),
    replicas: s.optional(s.integer({ description: 'How many units.', format: 'int32', minimum: 0 })),
    percentage: s.optional(
      s.integer({
        description: 'How many units as a percentage of the workload’s replicas, rounded up, at least one.',
        format: 'int32',
        minimum: 0,
      }),
    ),
    limits: s.optional(
      resourceListField('How much all units may request; without replicas and percentage, as many as fit.'),
    ),
  },
  {
    description: 'The buffer that is wanted.',
    rules: [
      {
        message: 'If podTemplateRef is set, replicas or limits must also be set',
        cel: '!has(self.podTemplateRef) || has(self.replicas) || has(self.limits)',
        holds: ({ podTemplateRef, replicas, limits }: BufferShape) =>
          podTemplateRef === undefined || replicas !== undefined || limits !== undefined,
      },
      {
        message: 'You must define either PodTemplateRef or ScalableRef, but not both',
        cel: '!(has(self.podTemplateRef) && has(self.scalableRef))',
        holds: ({ podTemplateRef, scalableRef }: BufferShape) =>
          podTemplateRef === undefined || scalableRef === undefined,
      },
    ],
  },
)

const statusSchema = s.object(
  {
    conditions: s.filledIn(conditionsSchema({ isRelaxed: false }), []),
    podTemplateRef: s.optional(reference('The PodTemplate that the buffer was made from.')),
    podTemplateGeneration: s.optional(
      s.integer({ description: 'The generation of that PodTemplate.', format: 'int64' }),
    ),
    provisioningStrategy: s.optional(s.string({ description: 'The strategy in use.' })),
    replicas: s.optional(s.integer({ description: 'How many units there are.', format: 'int32' })),
  },
  { description: 'The buffer that there is.' },
)

export const capacityBufferSchema = s.named(
  'CapacityBuffer',
  s.object(
    {
      ...identityOf('autoscaling.x-k8s.io/v1beta1', 'CapacityBuffer'),
      metadata: namespacedMetadata,
      spec: specSchema,
      status: s.filledIn(statusSchema, {}),
    },
    { description: 'Room that is kept free for pods to come.' },
  ),
)

/** An `autoscaling.x-k8s.io/v1beta1` CapacityBuffer as on the wire. */
export interface CapacityBufferObject extends TypeOf<typeof capacityBufferSchema> {}
export const decodeCapacityBuffer = decoderOf<CapacityBufferObject>(capacityBufferSchema)

/** The CapacityBuffer's CustomResourceDefinition as data (P-CBA-01). */
export const capacityBufferResource: CustomResource = {
  group: 'autoscaling.x-k8s.io',
  kind: 'CapacityBuffer',
  scope: 'Namespaced',
  names: { plural: 'capacitybuffers', short: ['cb'], categories: ['autoscaling'] },
  columns: [
    { name: 'Strategy', type: 'string', jsonPath: '.spec.provisioningStrategy' },
    { name: 'PodTemplate', type: 'string', jsonPath: '.status.podTemplateRef.name' },
    { name: 'Replicas', type: 'integer', jsonPath: '.status.replicas' },
    { name: 'ConditionsType', type: 'string', jsonPath: '.status.conditions[*].type' },
    { name: 'ConditionsStatus', type: 'string', jsonPath: '.status.conditions[*].status' },
    { name: 'ConditionsReason', type: 'string', jsonPath: '.status.conditions[*].reason' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  versions: [{ name: 'v1beta1', schema: capacityBufferSchema }],
}
