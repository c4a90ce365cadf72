import fc from 'fast-check'

import { Quantity } from '../quantity/index.ts'
import type { Schema, SchemaNode } from '../schema/index.ts'

/** Keys that break code which reads records carelessly, among ordinary ones. */
export const awkwardKey = fc.constantFrom('app', 'constructor', '__proto__', 'toString', 'example.com/x', '7')

/** Amounts in the forms that users write. */
export const quantityText = fc
  .tuple(fc.integer({ min: 0, max: 4096 }), fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3'))
  .map(([amount, suffix]) => `${amount}${suffix}`)

/** The same, decoded. */
export const quantity = quantityText.map(Quantity.of)

/**
 * Wire data that fits the shape of a schema: every field, optional ones at times.
 *
 * Shapes alone: rules that span fields (`schedule` with `duration`) may be broken, so filter by the decoder where only
 * valid data is wanted. Texts keep their pattern.
 */
export const wireFormOf = (schema: Schema<unknown>): fc.Arbitrary<unknown> => wire(schema.node)

const wire = (node: SchemaNode): fc.Arbitrary<unknown> => {
  switch (node.type) {
    case 'string': {
      if (node.enum !== undefined) return fc.constantFrom(...node.enum)
      if (node.format === 'date-time') {
        return fc.integer({ min: 0, max: 2_000_000_000 }).map((seconds) => new Date(seconds * 1000).toISOString())
      }
      const { minLength = 0, maxLength = 24 } = node
      if (node.problem !== undefined || node.pattern === undefined)
        return fc.string({ minLength, maxLength: Math.min(maxLength, 24) })
      return fc
        .stringMatching(new RegExp(node.pattern, 'u'), { maxLength: Math.min(maxLength, 24) })
        .filter((text) => text.length >= minLength && text.length <= maxLength)
    }
    case 'integer':
      return fc.integer({ min: Math.max(node.minimum ?? 0, -1000), max: Math.min(node.maximum ?? 1000, 1_000_000) })
    case 'number':
      return fc.integer({ min: Math.max(node.minimum ?? 0, -1000), max: Math.min(node.maximum ?? 1000, 1_000_000) })
    case 'boolean':
      return fc.boolean()
    case 'quantity':
      return quantityText
    case 'int-or-string':
      return fc.oneof(
        fc.nat(100),
        fc.nat(100).map((percent) => `${percent}%`),
      )
    case 'any':
      return fc.jsonValue({ maxDepth: 1 })
    case 'array': {
      const { minItems: minLength = 0, maxItems = 3, listMapKeys } = node
      const maxLength = Math.min(maxItems, Math.max(3, minLength))
      const selector = (item: unknown) =>
        listMapKeys === undefined
          ? JSON.stringify(item)
          : listMapKeys.map((key) => String((item as Record<string, unknown>)[key])).join()
      return node.listType === 'set' || listMapKeys !== undefined
        ? fc.uniqueArray(wire(node.items), { minLength, maxLength, selector })
        : fc.array(wire(node.items), { minLength, maxLength })
    }
    case 'record':
      return fc.dictionary(awkwardKey, wire(node.values), { maxKeys: Math.min(node.maxProperties ?? 3, 3) })
    case 'object': {
      const fields = Object.fromEntries(node.fields.map(([name, field]) => [name, wire(field.node)]))
      const requiredKeys = node.fields.flatMap(([name, { presence }]) => (presence === 'required' ? [name] : []))
      return fc.record(fields, { requiredKeys })
    }
  }
}
