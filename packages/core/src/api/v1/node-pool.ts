import { decoderOf, s, type TypeOf } from '../../schema/index.ts'
import type { CustomResource } from '../custom-resource.ts'
import { clusterMetadata, identityOf } from '../kube/index.ts'
import { conditionsSchema, labelRules, nillableDurationSchema, resourceListField, scheduleProblem } from './fields.ts'
import { nodeFields } from './template.ts'

/** The reasons that a disruption budget can be for. */
export const budgetReasons = ['Underutilized', 'Empty', 'Drifted'] as const

const budgetSchema = s.object({
  nodes: s.defaulted(
    s.string({
      description:
        'How many nodes of the pool may be going away at once: a count, or a percentage of the pool, rounded up.',
      pattern: '^((100|[0-9]{1,2})%|[0-9]+)$',
      expected: 'a count such as "5" or a percentage such as "10%", as text',
    }),
    '10%',
  ),
  reasons: s.optional(
    s.array(s.literals(budgetReasons, { description: 'Why a node is disrupted.' }), {
      description: 'The reasons that this budget is for. Absent: all.',
      maxItems: 50,
      listType: 'set',
    }),
  ),
  schedule: s.optional(
    s.string({
      description:
        'Cron in UTC: when the budget begins to count. Absent: it always counts. Must be set together with duration.',
      pattern: '^(@(annually|yearly|monthly|weekly|daily|midnight|hourly))|((.+)\\s(.+)\\s(.+)\\s(.+)\\s(.+))$',
      problem: scheduleProblem,
    }),
  ),
  duration: s.optional(
    s.string({
      description: 'How long the budget counts from each time of its schedule; hours and minutes only.',
      pattern: '^((([0-9]+(h|m))|([0-9]+h[0-9]+m))(0s)?)$',
      expected: 'hours and minutes such as 8h or 1h30m',
    }),
  ),
})

/** One disruption budget of a NodePool. */
export interface BudgetObject extends TypeOf<typeof budgetSchema> {}

const disruptionSchema = s.object(
  {
    consolidateAfter: s.defaulted(
      nillableDurationSchema(
        'How long a node must have been without pod changes before consolidation considers it, or Never. Ignored with replicas.',
      ),
      '0s',
    ),
    consolidationPolicy: s.defaulted(
      s.literals(['WhenEmpty', 'WhenEmptyOrUnderutilized', 'Balanced'], {
        description: 'Which nodes consolidation considers. Ignored with replicas.',
      }),
      'WhenEmptyOrUnderutilized',
    ),
    budgets: s.defaulted(
      s.array(budgetSchema, {
        description: 'Limits on simultaneous disruption; of several that are active, the tightest counts.',
        maxItems: 50,
        listType: 'atomic',
        rules: [
          {
            message: "'schedule' must be set with 'duration'",
            cel: 'self.all(x, has(x.schedule) == has(x.duration))',
            each: ({ schedule, duration }: BudgetObject) => (schedule === undefined) === (duration === undefined),
          },
        ],
      }),
      [{ nodes: '10%' }],
    ),
  },
  { description: 'When nodes of the pool may be removed or replaced.' },
)

const templateMetadataSchema = s.object({
  labels: s.filledIn(
    s.record(
      s.string({
        maxLength: 63,
        pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
        expected: 'a label value: letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
      }),
      {
        description: 'Labels of every node of the pool.',
        maxProperties: 100,
        mapType: 'atomic',
        rules: labelRules,
      },
    ),
    {},
  ),
  annotations: s.filledIn(
    s.record(s.string(), { description: 'Annotations of every node of the pool.', mapType: 'granular' }),
    {},
  ),
})

const templateSchema = s.object(
  {
    metadata: s.filledIn(templateMetadataSchema, {}),
    spec: s.object(
      nodeFields({
        allowsNodePool: false,
        nodeClassRules: [
          { message: 'nodeClassRef.group is immutable', cel: 'self.group == oldSelf.group' },
          { message: 'nodeClassRef.kind is immutable', cel: 'self.kind == oldSelf.kind' },
        ],
      }),
      { description: 'What NodeClaims of the pool are made from.' },
    ),
  },
  { description: 'What NodeClaims of the pool are made from; a launch narrows it further.' },
)

interface PoolShape {
  readonly replicas?: number
  readonly weight?: number
  readonly limits?: object
}

const specSchema = s.object(
  {
    template: templateSchema,
    disruption: s.defaulted(disruptionSchema, { consolidateAfter: '0s' }),
    limits: s.optional(
      resourceListField(
        'How much the pool may hold in all, by resource; nodes counts its nodes. With replicas only nodes is allowed.',
      ),
    ),
    replicas: s.optional(
      s.integer({
        description:
          'Makes the pool static: it keeps this many nodes whatever the demand. Alpha. Excludes weight and limits other than nodes.',
        format: 'int64',
        minimum: 0,
      }),
    ),
    weight: s.optional(
      s.integer({
        description: 'Pools of higher weight are tried first. Absent counts as 0. Not with replicas.',
        format: 'int32',
        minimum: 1,
        maximum: 100,
      }),
    ),
  },
  {
    description: 'A group of nodes that may be launched for pods, and what they may be.',
    remedy: 'a NodePool needs at least spec.template.spec with nodeClassRef and requirements',
    rules: [
      {
        message:
          'Cannot transition NodePool between static (replicas set) and dynamic (replicas unset) provisioning modes',
        cel: 'has(self.replicas) == has(oldSelf.replicas)',
      },
      {
        message: "only 'limits.nodes' is supported on static NodePools",
        cel: "!has(self.replicas) || (!has(self.limits) || size(self.limits) == 0 || (size(self.limits) == 1 && 'nodes' in self.limits))",
        holds: ({ replicas, limits = {} }: PoolShape) =>
          replicas === undefined || Object.keys(limits).every((name) => name === 'nodes'),
      },
      {
        message: "'weight' is not supported on static NodePools",
        cel: '!has(self.replicas) || !has(self.weight)',
        holds: ({ replicas, weight }: PoolShape) => replicas === undefined || weight === undefined,
      },
    ],
  },
)

const statusSchema = s.object(
  {
    conditions: s.filledIn(conditionsSchema({ isRelaxed: false }), []),
    nodeClassObservedGeneration: s.optional(
      s.integer({
        description: 'The generation of the NodeClass that NodeRegistrationHealthy was found for.',
        format: 'int64',
      }),
    ),
    nodes: s.defaulted(s.integer({ description: 'How many nodes the pool has.', format: 'int64' }), 0),
    resources: s.filledIn(resourceListField('What the nodes of the pool hold in all, by resource.'), {}),
  },
  { description: 'What the pool is at present.' },
)

export const nodePoolSchema = s.named(
  'NodePool',
  s.object(
    {
      ...identityOf('karpenter.sh/v1', 'NodePool'),
      metadata: clusterMetadata,
      spec: specSchema,
      status: s.filledIn(statusSchema, {}),
    },
    { description: 'A group of interchangeable nodes that are launched for pods which fit nowhere.' },
  ),
)

/** A `karpenter.sh/v1` NodePool as on the wire, defaults filled in. */
export interface NodePoolObject extends TypeOf<typeof nodePoolSchema> {}
/** The template of a NodePool's NodeClaims. */
export interface NodePoolTemplateObject extends TypeOf<typeof templateSchema> {}
/**
 * Decodes a NodePool, checking what admission would check.
 *
 * Errors: every wrong field and every rule that is broken.
 *
 * @example
 * const decoded = decodeNodePool({ metadata: { name: 'general' }, spec: { weight: 101 } })
 * decoded._tag === 'Left' && decoded.left.map(({ path }) => path) // => ['spec.template', 'spec.weight']
 */
export const decodeNodePool = decoderOf<NodePoolObject>(nodePoolSchema)

/** The NodePool's CustomResourceDefinition as data (P-NPA-01). */
export const nodePoolResource: CustomResource = {
  group: 'karpenter.sh',
  kind: 'NodePool',
  names: { plural: 'nodepools', categories: ['karpenter'] },
  columns: [
    { name: 'NodeClass', type: 'string', jsonPath: '.spec.template.spec.nodeClassRef.name' },
    { name: 'Nodes', type: 'string', jsonPath: '.status.nodes' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Weight', type: 'integer', jsonPath: '.spec.weight', wide: true },
    { name: 'CPU', type: 'string', jsonPath: '.status.resources.cpu', wide: true },
    { name: 'Memory', type: 'string', jsonPath: '.status.resources.memory', wide: true },
  ],
  scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.nodes' },
  versions: [{ name: 'v1', schema: nodePoolSchema }],
}
