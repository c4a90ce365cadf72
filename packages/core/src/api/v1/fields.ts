import * as E from 'fp-ts/lib/Either.js'

import { s, type Rule } from '../../schema/index.ts'
import { Time } from '../../time/index.ts'

const durationExample = 'a duration such as 30s, 10m or 720h'

// The admission patterns of the reference: whole seconds, minutes and hours only.
export const durationSchema = (description: string) =>
  s.string({ description, pattern: '^([0-9]+(s|m|h))+$', expected: durationExample })

export const nillableDurationSchema = (description: string) =>
  s.string({ description, pattern: '^(([0-9]+(s|m|h))+|Never)$', expected: `${durationExample}, or Never` })

const qualifiedName =
  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(\\/))?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$'

const qualifiedNameSchema = (
  description: string,
  rules: ReadonlyArray<Rule>,
  bounds: { minLength?: 1; maxLength?: 316 },
) =>
  s.string({
    description,
    ...bounds,
    pattern: qualifiedName,
    expected: 'a name such as app or example.com/app',
    ...(rules.length === 0 ? {} : { rules }),
  })

/** The part of a key before its first slash; the whole key where there is none, as the admission rule reads it. */
const beforeSlash = (key: string): string => key.split('/')[0] ?? ''

const isAllowedDomain = (key: string): boolean =>
  key === 'karpenter.sh/capacity-type' || key === 'karpenter.sh/nodepool' || !beforeSlash(key).endsWith('karpenter.sh')

const restricted = (what: string) => `label ${what} is restricted`

/** Admission's rules on one requirement key (P-NPA-08). The suffix test has no dot there, so it has none here. */
export const requirementKeyRules = ({ allowsNodePool }: { readonly allowsNodePool: boolean }): ReadonlyArray<Rule> => [
  {
    message: restricted('domain "karpenter.sh"'),
    cel: 'self in ["karpenter.sh/capacity-type", "karpenter.sh/nodepool"] || !self.find("^([^/]+)").endsWith("karpenter.sh")',
    holds: isAllowedDomain,
  },
  ...(allowsNodePool
    ? []
    : [
        {
          message: restricted('"karpenter.sh/nodepool"'),
          cel: 'self != "karpenter.sh/nodepool"',
          holds: (key: string) => key !== 'karpenter.sh/nodepool',
        },
      ]),
  {
    message: restricted('"kubernetes.io/hostname"'),
    cel: 'self != "kubernetes.io/hostname"',
    holds: (key: string) => key !== 'kubernetes.io/hostname',
  },
]

/** Admission's rules on a template's labels (P-NPA-10). */
export const labelRules: ReadonlyArray<Rule> = [
  {
    message: restricted('domain "karpenter.sh"'),
    cel: 'self.all(x, x in ["karpenter.sh/capacity-type", "karpenter.sh/nodepool"] || !x.find("^([^/]+)").endsWith("karpenter.sh"))',
    each: isAllowedDomain,
  },
  {
    message: restricted('"karpenter.sh/nodepool"'),
    cel: 'self.all(x, x != "karpenter.sh/nodepool")',
    each: (key: string) => key !== 'karpenter.sh/nodepool',
  },
  {
    message: restricted('"kubernetes.io/hostname"'),
    cel: 'self.all(x, x != "kubernetes.io/hostname")',
    each: (key: string) => key !== 'kubernetes.io/hostname',
  },
]

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Gte', 'Lte'] as const

interface RequirementItem {
  readonly operator: string
  readonly values?: ReadonlyArray<string>
  readonly minValues?: number
}

const valuesOf = ({ values = [] }: RequirementItem) => values
const isBound = ({ operator }: RequirementItem) => ['Gt', 'Lt', 'Gte', 'Lte'].includes(operator)
const hasOneBound = (item: RequirementItem) => {
  const [bound, ...more] = valuesOf(item)
  return bound !== undefined && more.length === 0 && /^\+?\d+$/.test(bound)
}

const valueRule = (operator: 'In' | 'NotIn'): Rule => ({
  message: `requirements with operator '${operator}' must have a value defined`,
  cel: `self.all(x, x.operator == '${operator}' ? x.values.size() != 0 : true)`,
  each: (item: RequirementItem) => item.operator !== operator || valuesOf(item).length > 0,
})

const boundRule = (list: string): Rule => ({
  message: `requirements operator ${list} must have a single positive integer value`,
  cel: "self.all(x, (x.operator == 'Gt' || x.operator == 'Lt' || x.operator == 'Gte' || x.operator == 'Lte') ? (x.values.size() == 1 && int(x.values[0]) >= 0) : true)",
  each: (item: RequirementItem) => !isBound(item) || hasOneBound(item),
})

const requirementFields = (keyRules: ReadonlyArray<Rule>) => ({
  key: qualifiedNameSchema('The label that is constrained.', keyRules, { maxLength: 316 }),
  operator: s.literals(operators, {
    description:
      'How the label relates to the values. Gt, Lt, Gte and Lte compare integers; the last two include the bound.',
  }),
  values: s.optional(
    s.array(s.string(), {
      description:
        'At least one for In, none for Exists and DoesNotExist, exactly one whole number for Gt, Lt, Gte and Lte.',
      listType: 'atomic',
    }),
  ),
})

/** The requirements of NodePool and NodeClaim (P-NPA-07, P-NCA-02). */
export const requirementsSchema = ({ allowsNodePool }: { readonly allowsNodePool: boolean }) =>
  s.array(
    s.object({
      ...requirementFields(requirementKeyRules({ allowsNodePool })),
      minValues: s.optional(
        s.integer({
          description: 'The least number of distinct values that the instance types of one launch must offer. Alpha.',
          minimum: 1,
          maximum: 50,
        }),
      ),
    }),
    {
      description: 'What nodes may be. All requirements hold together.',
      remedy: 'list at least one, such as {key: kubernetes.io/arch, operator: In, values: [amd64]}',
      maxItems: 100,
      listType: 'atomic',
      rules: [
        valueRule('In'),
        boundRule("'Gt', 'Lt', 'Gte', or 'Lte'"),
        {
          message: "requirements with 'minValues' must have at least that many values specified in the 'values' field",
          cel: "self.all(x, (x.operator == 'In' && has(x.minValues)) ? x.values.size() >= x.minValues : true)",
          each: (item: RequirementItem) =>
            item.operator !== 'In' || item.minValues === undefined || valuesOf(item).length >= item.minValues,
        },
      ],
    },
  )

/** The requirements of NodeOverlay: no minValues, and NotIn needs values, too (P-OVA-03). */
export const overlayRequirementsSchema = s.array(
  s.object(requirementFields(requirementKeyRules({ allowsNodePool: true }))),
  {
    description: 'Which instance types and offerings are changed. Labels of the NodePool template count, too.',
    maxItems: 100,
    listType: 'atomic',
    rules: [valueRule('NotIn'), valueRule('In'), boundRule("'Gt', 'Lt', 'Gte' or 'Lte'")],
  },
)

/** Taints of NodePool and NodeClaim (P-NPA-11). */
export const taintsSchema = (description: string) =>
  s.array(
    s.object({
      key: qualifiedNameSchema('The key of the taint.', [], { minLength: 1 }),
      value: s.optional(
        s.string({
          description: 'The value of the taint.',
          emptyIsAbsent: true,
          pattern: qualifiedName,
          expected: 'a name such as team-a',
        }),
      ),
      effect: s.literals(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], {
        description: 'What happens to pods that do not tolerate the taint.',
      }),
      timeAdded: s.optional(s.instant({ description: 'When the taint was added.' })),
    }),
    { description, listType: 'atomic' },
  )

const notEmpty = (field: string): ReadonlyArray<Rule> => [
  { message: `${field} may not be empty`, cel: "self != ''", holds: (text: string) => text !== '' },
]

const nodeClassRefFields = {
  group: s.string({
    description: 'API group of the NodeClass, without a version.',
    remedy: 'name the API group of the NodeClass, such as karpenter.k8s.aws',
    pattern: '^[^/]*$',
    expected: 'an API group without a version, such as karpenter.k8s.aws',
    rules: notEmpty('group'),
  }),
  kind: s.string({
    description: 'Kind of the NodeClass.',
    remedy: 'name the kind of the NodeClass, such as EC2NodeClass',
    rules: notEmpty('kind'),
  }),
  name: s.string({
    description: 'Name of the NodeClass.',
    remedy: 'name the NodeClass',
    rules: notEmpty('name'),
  }),
}

/** A reference to the provider's part of the configuration; on a NodePool, group and kind stay as they are (P-NPA-06). */
export const nodeClassRefSchema = (rules: ReadonlyArray<Rule>) =>
  s.object(nodeClassRefFields, {
    description: 'The NodeClass: what the provider needs to know to launch the nodes.',
    remedy: 'name the NodeClass by group, kind and name',
    ...(rules.length === 0 ? {} : { rules }),
  })

export const resourceListField = (description: string) => s.record(s.quantity(), { description })

/**
 * A list of conditions.
 *
 * `isRelaxed` serves objects written by older versions: empty reasons, absent reasons and messages (P-NCA-04).
 */
export const conditionsSchema = ({
  isRelaxed,
  isPlainList,
}: {
  readonly isRelaxed: boolean
  /** The server replaces the conditions as a whole instead of merging them by type. */
  readonly isPlainList?: true
}) => {
  const reason = s.string({
    description: 'Why the condition has this status, in one CamelCase word.',
    maxLength: 1024,
    ...(isRelaxed
      ? { pattern: '^([A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?|)$' }
      : { minLength: 1, pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' }),
    // Status is written by controllers: what one of them wrote must not make the object unreadable.
    problem: () => undefined,
  })
  const message = s.string({ description: 'The same in words.', maxLength: 32768 })
  return s.array(
    s.object({
      type: s.string({
        description: 'What the condition is about.',
        maxLength: 316,
        pattern:
          '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
      }),
      status: s.literals(['True', 'False', 'Unknown'], { description: 'Whether it holds.' }),
      reason: isRelaxed ? s.filledIn(reason, '') : s.requiredOnServer(reason, 'Unknown'),
      message: isRelaxed ? s.filledIn(message, '') : s.requiredOnServer(message, ''),
      lastTransitionTime: s.requiredOnServer(
        s.instant({ description: 'When the status last changed.' }),
        '1970-01-01T00:00:00Z',
      ),
      observedGeneration: s.optional(
        s.integer({
          description: 'The generation of the object that the condition was computed for; an older one is out of date.',
          format: 'int64',
          minimum: 0,
        }),
      ),
    }),
    {
      description: 'Signals of health and readiness.',
      ...(isPlainList === true ? {} : { listType: 'map', listMapKeys: ['type'] }),
    },
  )
}

/** A schedule that the API server admits; `Time.parseCron` is stricter, and budgets that it refuses allow nothing. */
export const scheduleProblem = (text: string): string | undefined =>
  text.startsWith('@')
    ? E.isLeft(Time.parseCron(text))
      ? 'expected a shorthand such as @daily or @hourly'
      : undefined
    : text.trim().split(/\s+/).length >= 5
      ? undefined
      : 'expected five fields (minute, hour, day, month, weekday) or a shorthand such as @daily'
