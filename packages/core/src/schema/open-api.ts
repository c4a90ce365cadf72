import type { Schema } from './combinators.ts'
import type { FieldNode, Node, Rule } from './node.ts'

/** A structural schema of the Kubernetes API, as JSON. */
export type OpenApiNode = { readonly [key: string]: unknown }

// The forms that the API server checks for an amount: sign, digits, then a binary, decimal or exponent suffix.
const quantityPattern =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$'

/**
 * The structural schema of a schema, for a CustomResourceDefinition.
 *
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 *
 * @example
 * openApiOf(s.object({ size: s.optional(s.integer({ minimum: 1 })) }))
 * // => { type: 'object', properties: { size: { type: 'integer', minimum: 1 } } }
 */
export const openApiOf = (schema: Schema<unknown>): OpenApiNode => render(schema.node)

const render = (node: Node): OpenApiNode => ({
  ...(node.description === undefined ? {} : { description: node.description }),
  ...renderShape(node),
  ...(node.rules === undefined ? {} : { 'x-kubernetes-validations': node.rules.map(renderRule) }),
})

const renderRule = ({ cel, message }: Rule) => ({ message, rule: cel })

const pick = <N extends object>(node: N, ...keys: ReadonlyArray<keyof N>): OpenApiNode =>
  Object.fromEntries(keys.flatMap((key) => (node[key] === undefined ? [] : [[key, node[key]]])))

const renderShape = (node: Node): OpenApiNode => {
  switch (node.type) {
    case 'string':
      return { ...pick(node, 'enum', 'format', 'maxLength', 'minLength', 'pattern'), type: 'string' }
    case 'integer':
    case 'number':
      return { ...pick(node, 'format', 'maximum', 'minimum'), type: node.type }
    case 'boolean':
      return { type: 'boolean' }
    case 'quantity':
      return {
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        pattern: quantityPattern,
        'x-kubernetes-int-or-string': true,
      }
    case 'int-or-string':
      return { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true }
    case 'any':
      return { 'x-kubernetes-preserve-unknown-fields': true }
    case 'array':
      return {
        items: render(node.items),
        ...pick(node, 'maxItems', 'minItems'),
        type: 'array',
        ...(node.listMapKeys === undefined ? {} : { 'x-kubernetes-list-map-keys': node.listMapKeys }),
        ...(node.listType === undefined ? {} : { 'x-kubernetes-list-type': node.listType }),
      }
    case 'record':
      return {
        additionalProperties: render(node.values),
        ...pick(node, 'maxProperties'),
        type: 'object',
        ...(node.mapType === undefined ? {} : { 'x-kubernetes-map-type': node.mapType }),
      }
    case 'object': {
      const properties = Object.fromEntries(node.fields.map(([name, field]) => [name, renderField(field)]))
      const required = node.fields.flatMap(([name, field]) => (isRequired(field) ? [name] : [])).sort()
      return {
        ...(node.fields.length === 0 ? {} : { properties }),
        ...(required.length === 0 ? {} : { required }),
        type: 'object',
        ...(node.mapType === undefined ? {} : { 'x-kubernetes-map-type': node.mapType }),
        ...(node.preservesUnknown === true ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
      }
    }
  }
}

const isRequired = ({ presence, onServer }: FieldNode): boolean => presence === 'required' || onServer === 'required'

const renderField = (field: FieldNode): OpenApiNode =>
  field.presence === 'defaulted' && field.onServer === undefined
    ? { default: field.default, ...render(field.node) }
    : render(field.node)
