export { applyDefaults, pruneUnknown } from './defaulting.ts'
export { compileRules, evaluateRules } from './rules.ts'
export { memberSchema, type SchemaNode, type ValidationRule } from './schema-node.ts'
export { validateValue } from './validation.ts'
