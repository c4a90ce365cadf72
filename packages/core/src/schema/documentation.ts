import type { Schema } from './combinators.ts'
import type { FieldNode, Node } from './node.ts'

/** One line of a reference table. */
export interface FieldDocumentation {
  /** `spec.template.spec.requirements[].operator`. */
  readonly path: string
  readonly type: string
  readonly isRequired: boolean
  /** As on the wire; absent: none. */
  readonly default?: unknown
  readonly description: string
}

/**
 * Every field of a schema, in the order of its definition, for a reference table.
 *
 * @example
 * const schema = s.object({ rack: s.string({ description: 'Where it stands.' }) })
 * documentationOf(schema)
 * // => [{ path: 'rack', type: 'string', isRequired: true, description: 'Where it stands.' }]
 */
export const documentationOf = (schema: Schema<unknown>): ReadonlyArray<FieldDocumentation> => {
  const rows: Array<FieldDocumentation> = []
  const visit = (node: Node, path: string): void => {
    if (node.type === 'array') visit(node.items, `${path}[]`)
    if (node.type === 'record') visit(node.values, `${path}[*]`)
    if (node.type !== 'object') return
    for (const [name, field] of node.fields) {
      const at = path === '' ? name : `${path}.${name}`
      rows.push(rowOf(at, field))
      visit(field.node, at)
    }
  }
  visit(schema.node, '')
  return rows
}

const rowOf = (path: string, { node, presence, default: value }: FieldNode): FieldDocumentation => ({
  path,
  type: typeTextOf(node),
  isRequired: presence === 'required',
  ...(presence === 'defaulted' ? { default: value } : {}),
  description: node.description ?? '',
})

const typeTextOf = (node: Node): string => {
  switch (node.type) {
    case 'string':
      return node.enum === undefined ? (node.format ?? 'string') : node.enum.join(' | ')
    case 'integer':
    case 'number':
    case 'boolean':
    case 'quantity':
    case 'object':
    case 'any':
      return node.type
    case 'int-or-string':
      return 'integer or string'
    case 'array':
      return `list of ${typeTextOf(node.items)}`
    case 'record':
      return `${typeTextOf(node.values)} by key`
  }
}
