import type {
  LabelSelector,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Taint,
  Toleration,
} from './objects.ts'

export type Labels = Readonly<Record<string, string>>

/** A selector made ready for many tests. */
export type LabelTest = (labels: Labels | undefined) => boolean

const none: Labels = {}

const read = (labels: Labels, key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined)

/**
 * Compiles a label selector: an absent one selects nothing, an empty one everything.
 *
 * The API server has checked it; an operator it should not have let through selects nothing.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export const compileSelector = (selector: LabelSelector | undefined): LabelTest => {
  if (selector === undefined) return () => false
  // Stored objects never change, so each selector is compiled once in its life.
  const known = compiled.get(selector)
  if (known !== undefined) return known
  const test = compile(selector)
  compiled.set(selector, test)
  return test
}

const compiled = new WeakMap<LabelSelector, LabelTest>()

const compile = (selector: LabelSelector): LabelTest => {
  const wanted = Object.entries(selector.matchLabels ?? {})
  const expressions = selector.matchExpressions ?? []
  return (labels = none) =>
    wanted.every(([key, value]) => read(labels, key) === value) &&
    expressions.every(({ key, operator, values = [] }) => meets(read(labels, key), operator, values))
}

const meets = (value: string | undefined, operator: string, values: ReadonlyArray<string>): boolean => {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
    case 'Lt': {
      const bound = values[0] ?? ''
      if (value === undefined || !isInteger(value) || !isInteger(bound)) return false
      return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
    }
    default:
      return false
  }
}

const isInteger = (text: string) => /^-?\d+$/.test(text)

/**
 * Whether a node's labels and name meet one term; a term that asks for nothing is met by no node.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
 */
export const meetsNodeTerm = (term: NodeSelectorTerm, labels: Labels, nodeName: string): boolean => {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length === 0 && fields.length === 0) return false
  return (
    expressions.every(({ key, operator, values = [] }) => meets(read(labels, key), operator, values)) &&
    fields.every((field) => meetsField(field, nodeName))
  )
}

const meetsField = ({ key, operator, values = [] }: NodeSelectorRequirement, nodeName: string) =>
  key === 'metadata.name' && (operator === 'In' || operator === 'NotIn') && meets(nodeName, operator, values)

/** Whether a node meets at least one term of a selector. */
export const meetsNodeSelector = (selector: NodeSelector, labels: Labels, nodeName: string): boolean =>
  (selector.nodeSelectorTerms ?? []).some((term) => meetsNodeTerm(term, labels, nodeName))

/** Whether a pod's `nodeSelector` and required node affinity admit a node. */
export const admitsNode = (
  pod: {
    readonly nodeSelector?: Labels | undefined
    readonly affinity?:
      { readonly nodeAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector } } | undefined
  },
  labels: Labels,
  nodeName: string,
): boolean => {
  for (const [key, value] of Object.entries(pod.nodeSelector ?? {})) if (read(labels, key) !== value) return false
  const required = pod.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || meetsNodeSelector(required, labels, nodeName)
}

/**
 * Whether one toleration covers one taint.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
export const covers = (toleration: Toleration, taint: Taint): boolean => {
  const { effect = '', key = '', operator = 'Equal', value = '' } = toleration
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (operator === 'Exists') return true
  if (operator === 'Gt' || operator === 'Lt') return meets(taint.value ?? '', operator, [value])
  return (operator === 'Equal' || operator === '') && value === (taint.value ?? '')
}

export const isTolerated = (taint: Taint, tolerations: ReadonlyArray<Toleration> | undefined): boolean =>
  tolerations?.some((toleration) => covers(toleration, taint)) ?? false
