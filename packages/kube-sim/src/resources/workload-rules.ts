import type { KubeObject } from '../face.ts'
import { invalidValue, requiredValue, type FieldError } from '../server/failures.ts'
import { equalJson, objectAt, valueAtPath, type JsonObject } from '../server/json.ts'
import { validateLabels } from '../server/metadata.ts'
import type { ResourceType, ScalePaths } from '../server/registry.ts'
import { matchesLabelSelector } from '../server/selectors.ts'
import { column, specOf } from './columns.ts'
import { defaultPodSpec, validatePodSpec } from './pod.ts'

/** Sets a field that the client left out, or sent as null. */
export const setDefault = (object: JsonObject, key: string, value: unknown): void => {
  if (object[key] === undefined || object[key] === null) object[key] = value
}

/** The defaults of the pod template in an object's spec, in place. */
export const defaultTemplate = (object: JsonObject): void => {
  const template = objectAt(objectAt(object, 'spec'), 'template')
  const spec = objectAt(template, 'spec')
  if (template === undefined || spec === undefined) return
  setDefault(template, 'metadata', {})
  defaultPodSpec(spec)
}

/** The status of a new object, before a controller has looked at it. */
export const initialStatus =
  (status: JsonObject): ResourceType['initialize'] =>
  (object) => {
    object['status'] = { ...status }
  }

/** Runs `set` on the spec (made when absent), after the template's defaults. */
export const admitWorkload =
  (set: (spec: JsonObject) => void): ResourceType['admit'] =>
  (object) => {
    setDefault(object, 'spec', {})
    const spec = objectAt(object, 'spec')
    if (spec !== undefined) set(spec)
    defaultTemplate(object)
    return []
  }

/** Selector, template and replicas; `fixed` are the fields of the spec that never change. */
export const validateWorkload =
  (fixed: ReadonlyArray<string>): ResourceType['validate'] =>
  (object, previous) => {
    const spec = specOf(object)
    const errors: FieldError[] = []
    const replicas = spec?.['replicas']
    if (replicas !== undefined && (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0)) {
      errors.push(invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'))
    }
    const selector = objectAt(spec, 'selector')
    const template = objectAt(spec, 'template')
    const labels = objectAt(objectAt(template, 'metadata'), 'labels')
    errors.push(...validateLabels(labels, 'spec.template.metadata.labels'))
    if (selector === undefined) errors.push(requiredValue('spec.selector'))
    else {
      errors.push(...validateLabels(selector['matchLabels'], 'spec.selector.matchLabels'))
      const empty = Object.keys(selector).length === 0
      if (empty) errors.push(invalidValue('spec.selector', selector, 'empty selector is invalid for deployment'))
      else if (!matchesLabelSelector(selector, labels as Record<string, string> | undefined)) {
        errors.push(
          invalidValue('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'),
        )
      }
    }
    errors.push(...validatePodSpec(objectAt(template, 'spec'), 'spec.template.spec'))
    for (const field of fixed) {
      if (previous !== undefined && !equalJson(spec?.[field], specOf(previous)?.[field])) {
        errors.push(invalidValue(`spec.${field}`, spec?.[field], 'field is immutable'))
      }
    }
    return errors
  }

export const scale: ScalePaths = {
  specReplicas: 'spec.replicas',
  statusReplicas: 'status.replicas',
  selector: 'spec.selector',
}

export const countAt = (object: KubeObject, path: string): number => {
  const value = valueAtPath(object, path)
  return typeof value === 'number' ? value : 0
}

export const rollingUpdate = (spec: JsonObject, key: string, parameters: JsonObject): void => {
  setDefault(spec, key, {})
  const strategy = objectAt(spec, key)
  if (strategy === undefined) return
  setDefault(strategy, 'type', 'RollingUpdate')
  if (strategy['type'] !== 'RollingUpdate') return
  setDefault(strategy, 'rollingUpdate', {})
  const settings = objectAt(strategy, 'rollingUpdate')
  if (settings !== undefined) for (const [name, value] of Object.entries(parameters)) setDefault(settings, name, value)
}

export const readyColumn = (path: string) =>
  column('Ready', 'string', (object) => `${countAt(object, path)}/${countAt(object, 'spec.replicas')}`)
