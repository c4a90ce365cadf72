import { cloneJson, isObject, setKey, type JsonObject } from '../server/json.ts'
import { memberSchema, type SchemaNode } from './schema-node.ts'

// What every object has besides its schema.
const objectHead: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/** Drops the fields of an object that its schema does not know, in place; gives their paths. */
export const pruneUnknown = (object: JsonObject, schema: SchemaNode): ReadonlyArray<string> => {
  const dropped: string[] = []
  prune(object, schema, '', true, dropped)
  return dropped
}

const prune = (value: unknown, schema: SchemaNode, path: string, isRoot: boolean, dropped: string[]): void => {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items !== undefined) value.forEach((item, index) => prune(item, items, `${path}[${index}]`, false, dropped))
    return
  }
  if (!isObject(value)) return
  const keepsHead = isRoot || schema['x-kubernetes-embedded-resource'] === true
  const keepsAll = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
  for (const key of Object.keys(value)) {
    if (keepsHead && objectHead.has(key)) continue
    const inner = path === '' ? key : `${path}.${key}`
    const member = memberSchema(schema, key)
    if (member !== undefined) prune(value[key], member, inner, false, dropped)
    else if (!keepsAll) {
      delete value[key]
      dropped.push(inner)
    }
  }
}

/** Sets the defaults of absent fields, in place. A null where null is not allowed counts as absent. */
export const applyDefaults = (value: unknown, schema: SchemaNode): void => {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) applyDefaults(item, schema.items)
    return
  }
  if (!isObject(value)) return
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const present = Object.hasOwn(value, key) ? value[key] : undefined
    const absent = present === undefined || (present === null && property.nullable !== true)
    if (absent && property.default !== undefined) setKey(value, key, cloneJson(property.default))
    if (Object.hasOwn(value, key)) applyDefaults(value[key], property)
  }
  if (typeof schema.additionalProperties !== 'object') return
  for (const key of Object.keys(value)) {
    if (schema.properties === undefined || !Object.hasOwn(schema.properties, key)) {
      applyDefaults(value[key], schema.additionalProperties)
    }
  }
}
