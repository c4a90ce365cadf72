import type { KubeObject } from '../face.ts'
import { invalidValue, requiredValue, type FieldError } from '../server/failures.ts'
import { equalJson, objectAt, valueAtPath, type JsonObject } from '../server/json.ts'
import type { ResourceType } from '../server/registry.ts'
import { column, pathColumn, workloadColumns } from './columns.ts'
import { define } from './define.ts'
import { admitWorkload, initialStatus, rollingUpdate, setDefault, validateWorkload } from './workload-rules.ts'

const generationKey = 'deprecated.daemonset.template.generation'

const templateGeneration = ({ metadata }: KubeObject): number => Number(metadata.annotations?.[generationKey] ?? 1)

/** The count of templates is the server's own, whatever a client says of it. */
const countTemplates = (set: JsonObject, count: number): void => {
  const metadata = objectAt(set, 'metadata') ?? {}
  const given = objectAt(metadata, 'annotations')
  if (given?.[generationKey] === String(count)) return
  const annotations = { ...given, [generationKey]: String(count) }
  set['metadata'] = { ...metadata, annotations }
}

const unscheduled = initialStatus({
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
})

const validateSet: ResourceType['validate'] = (set, previous, surroundings) => {
  const errors: FieldError[] = [...validateWorkload(['selector'])(set, previous, surroundings)]
  const field = 'spec.updateStrategy'
  const type = valueAtPath(set, `${field}.type`)
  if (type !== 'RollingUpdate' && type !== 'OnDelete') {
    return [...errors, invalidValue(`${field}.type`, type, "must be 'RollingUpdate' or 'OnDelete'")]
  }
  if (type === 'OnDelete') return errors
  const at = `${field}.rollingUpdate`
  const { maxSurge, maxUnavailable } =
    objectAt(objectAt(objectAt(set as unknown as JsonObject, 'spec'), 'updateStrategy'), 'rollingUpdate') ?? {}
  const isNone = (value: unknown) => Number.parseInt(String(value), 10) === 0
  if (isNone(maxSurge) && isNone(maxUnavailable)) {
    errors.push(requiredValue(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  }
  if (!isNone(maxSurge) && !isNone(maxUnavailable)) {
    errors.push(invalidValue(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  }
  return errors
}

export const daemonSetType: ResourceType = define('apps/v1', 'DaemonSet', 'daemonsets', {
  shortNames: ['ds'],
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  admit: admitWorkload((spec) => {
    rollingUpdate(spec, 'updateStrategy', { maxUnavailable: 1, maxSurge: 0 })
    setDefault(spec, 'revisionHistoryLimit', 10)
  }),
  initialize: (set) => {
    countTemplates(set, 1)
    unscheduled(set)
  },
  renew: (set, previous) => {
    const before = templateGeneration(previous)
    const isSame = equalJson(valueAtPath(set, 'spec.template'), valueAtPath(previous, 'spec.template'))
    countTemplates(set, isSame ? before : before + 1)
  },
  validate: validateSet,
  columns: [
    pathColumn('Desired', 'integer', 'status.desiredNumberScheduled'),
    pathColumn('Current', 'integer', 'status.currentNumberScheduled'),
    pathColumn('Ready', 'integer', 'status.numberReady'),
    pathColumn('Up-to-date', 'integer', 'status.updatedNumberScheduled'),
    pathColumn('Available', 'integer', 'status.numberAvailable'),
    column('Node Selector', 'string', (object) => {
      const selector = valueAtPath(object, 'spec.template.spec.nodeSelector')
      return typeof selector === 'object' && selector !== null
        ? Object.entries(selector)
            .map(([key, value]) => `${key}=${String(value)}`)
            .join(',')
        : '<none>'
    }),
    ...workloadColumns,
  ],
})
