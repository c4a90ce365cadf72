import type { KubeObject } from '../face.ts'
import { forbiddenValue, invalidValue, unsupportedValue, type FieldError } from '../server/failures.ts'
import { equalJson, objectAt, objectsAt, valueAtPath, type JsonObject } from '../server/json.ts'
import type { ResourceType } from '../server/registry.ts'
import { specOf, workloadColumns } from './columns.ts'
import { define } from './define.ts'
import {
  admitWorkload,
  initialStatus,
  readyColumn,
  rollingUpdate,
  scale,
  setDefault,
  validateWorkload,
} from './workload-rules.ts'

const mutable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]
const policies = ['OrderedReady', 'Parallel']
const retentions = ['Retain', 'Delete']

const defaultSet = (spec: JsonObject): void => {
  setDefault(spec, 'replicas', 1)
  setDefault(spec, 'podManagementPolicy', 'OrderedReady')
  rollingUpdate(spec, 'updateStrategy', { partition: 0 })
  // Behind a gate that is off in Kubernetes, too.
  delete objectAt(objectAt(spec, 'updateStrategy'), 'rollingUpdate')?.['maxUnavailable']
  setDefault(spec, 'revisionHistoryLimit', 10)
  setDefault(spec, 'persistentVolumeClaimRetentionPolicy', {})
  const retention = objectAt(spec, 'persistentVolumeClaimRetentionPolicy')
  if (retention !== undefined) for (const key of ['whenDeleted', 'whenScaled']) setDefault(retention, key, 'Retain')
  for (const claim of objectsAt(spec, 'volumeClaimTemplates')) {
    setDefault(claim, 'apiVersion', 'v1')
    setDefault(claim, 'kind', 'PersistentVolumeClaim')
    setDefault(claim, 'spec', {})
    setDefault(claim, 'status', { phase: 'Pending' })
    const request = objectAt(claim, 'spec')
    if (request !== undefined) setDefault(request, 'volumeMode', 'Filesystem')
  }
}

const validateSet: ResourceType['validate'] = (set, previous, surroundings) => {
  const spec = specOf(set)
  const errors: FieldError[] = [...validateWorkload([])(set, previous, surroundings)]
  const oneOf = (path: string, values: ReadonlyArray<string>) => {
    const value = valueAtPath(spec, path)
    if (!values.includes(String(value))) errors.push(unsupportedValue(`spec.${path}`, value, values))
  }
  oneOf('podManagementPolicy', policies)
  oneOf('persistentVolumeClaimRetentionPolicy.whenDeleted', retentions)
  oneOf('persistentVolumeClaimRetentionPolicy.whenScaled', retentions)
  const strategy = valueAtPath(spec, 'updateStrategy.type')
  if (strategy !== 'RollingUpdate' && strategy !== 'OnDelete') {
    errors.push(invalidValue('spec.updateStrategy', strategy, "must be 'RollingUpdate' or 'OnDelete'"))
  }
  for (const path of ['ordinals.start', 'updateStrategy.rollingUpdate.partition']) {
    const value = valueAtPath(spec, path)
    if (typeof value === 'number' && value < 0) {
      errors.push(invalidValue(`spec.${path}`, value, 'must be greater than or equal to 0'))
    }
  }
  const restartPolicy = valueAtPath(spec, 'template.spec.restartPolicy')
  if (restartPolicy === 'OnFailure' || restartPolicy === 'Never') {
    errors.push(unsupportedValue('spec.template.spec.restartPolicy', restartPolicy, ['Always']))
  }
  if (previous !== undefined && !equalJson(fixedPart(set), fixedPart(previous))) {
    const names = mutable.map((name) => `'${name}'`)
    errors.push(
      forbiddenValue(
        'spec',
        `updates to statefulset spec for fields other than ${names.slice(0, -1).join(', ')} and ${names.at(-1)} are forbidden`,
      ),
    )
  }
  return errors
}

const fixedPart = (set: KubeObject): JsonObject =>
  Object.fromEntries(Object.entries(specOf(set) ?? {}).filter(([key]) => !mutable.includes(key)))

export const statefulSetType: ResourceType = define('apps/v1', 'StatefulSet', 'statefulsets', {
  shortNames: ['sts'],
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  scale,
  admit: admitWorkload(defaultSet),
  initialize: initialStatus({ replicas: 0, availableReplicas: 0 }),
  validate: validateSet,
  columns: [readyColumn('status.readyReplicas'), ...workloadColumns.filter(({ name }) => name !== 'Selector')],
})
