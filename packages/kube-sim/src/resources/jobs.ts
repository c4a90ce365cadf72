import type { KubeObject } from '../face.ts'
import { invalidValue, requiredValue, unsupportedValue, type FieldError } from '../server/failures.ts'
import { equalJson, objectAt, objectsAt, stringAt, valueAtPath, type JsonObject } from '../server/json.ts'
import type { ResourceType } from '../server/registry.ts'
import { column, renderAge, specOf, statusOf, workloadColumns } from './columns.ts'
import { define } from './define.ts'
import { defaultPolicies, validatePolicies } from './job-policies.ts'
import { validatePodSpec } from './pod.ts'
import { admitWorkload, setDefault } from './workload-rules.ts'

const uidLabel = 'batch.kubernetes.io/controller-uid'
const nameLabel = 'batch.kubernetes.io/job-name'
const modes = ['NonIndexed', 'Indexed']
const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
]
// Where each index has a limit of its own there is none for all.
const noLimit = 2 ** 31 - 1
const fixed = ['selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy']

const defaultJob = (spec: JsonObject): void => {
  // With a parallelism alone the pods are workers on one queue, and the first that succeeds says that it is empty.
  if (spec['parallelism'] === undefined) setDefault(spec, 'completions', 1)
  setDefault(spec, 'parallelism', 1)
  setDefault(spec, 'backoffLimit', spec['backoffLimitPerIndex'] === undefined ? 6 : noLimit)
  setDefault(spec, 'completionMode', 'NonIndexed')
  setDefault(spec, 'suspend', false)
  setDefault(spec, 'manualSelector', false)
  defaultPolicies(spec)
}

/** A Job finds its pods by its own UID, which its template carries, with the labels of before 1.27 beside the present ones. */
const labelPods = (job: JsonObject): void => {
  const metadata = objectAt(job, 'metadata')
  const spec = objectAt(job, 'spec')
  const template = objectAt(spec, 'template')
  job['status'] = {}
  if (metadata === undefined || spec === undefined || template === undefined) return
  if (spec['manualSelector'] !== true) {
    const name = stringAt(metadata, 'name') ?? ''
    const uid = stringAt(metadata, 'uid') ?? ''
    const podMetadata = objectAt(template, 'metadata') ?? {}
    const labels = {
      ...objectAt(podMetadata, 'labels'),
      [nameLabel]: name,
      'job-name': name,
      [uidLabel]: uid,
      'controller-uid': uid,
    }
    template['metadata'] = { ...podMetadata, labels }
    const selector = objectAt(spec, 'selector') ?? {}
    spec['selector'] = { ...selector, matchLabels: { ...objectAt(selector, 'matchLabels'), [uidLabel]: uid } }
  }
  const templateLabels = objectAt(objectAt(template, 'metadata'), 'labels')
  if (metadata['labels'] === undefined && templateLabels !== undefined) metadata['labels'] = { ...templateLabels }
}

const validateJob: ResourceType['validate'] = (job, previous) => {
  const spec = specOf(job)
  const errors: FieldError[] = []
  for (const field of counts) {
    const value = spec?.[field]
    if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 0)) continue
    errors.push(invalidValue(`spec.${field}`, value, 'must be greater than or equal to 0'))
  }
  const mode = spec?.['completionMode']
  if (!modes.includes(String(mode))) errors.push(unsupportedValue('spec.completionMode', mode, modes))
  if (mode === 'Indexed' && spec?.['completions'] === undefined) {
    errors.push(requiredValue('spec.completions', 'when completion mode is Indexed'))
  }
  const selector = objectAt(spec, 'selector')
  const isGenerated =
    selector?.['matchExpressions'] === undefined && Object.keys(objectAt(selector, 'matchLabels') ?? {}).length === 1
  if (spec?.['manualSelector'] !== true && !isGenerated) {
    errors.push(invalidValue('spec.selector', selector, '`selector` not auto-generated'))
  }
  if (spec !== undefined) errors.push(...validatePolicies(spec))
  const podSpec = objectAt(objectAt(spec, 'template'), 'spec')
  errors.push(...validatePodSpec(podSpec, 'spec.template.spec'))
  if (podSpec?.['restartPolicy'] === 'Always') {
    errors.push(requiredValue('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"'))
  }
  if (previous !== undefined) errors.push(...validateChange(job, previous))
  return errors
}

const validateChange = (job: KubeObject, previous: KubeObject): ReadonlyArray<FieldError> => {
  const spec = specOf(job)
  const before = specOf(previous)
  const hasStarted = valueAtPath(previous, 'status.startTime') !== undefined
  // A Job that waits suspended may still be told where its pods go.
  const isTemplateFixed = before?.['suspend'] !== true || hasStarted
  const isElastic = spec?.['completionMode'] === 'Indexed' && spec['completions'] === spec['parallelism']
  const changeless = [...fixed, ...(isTemplateFixed ? ['template'] : []), ...(isElastic ? [] : ['completions'])]
  return changeless
    .filter((field) => !equalJson(spec?.[field], before?.[field]))
    .map((field) => invalidValue(`spec.${field}`, spec?.[field], 'field is immutable'))
}

const hasCondition = (job: KubeObject, type: string): boolean =>
  objectsAt(statusOf(job), 'conditions').some((each) => each['type'] === type && each['status'] === 'True')

const statusText = (job: KubeObject): string =>
  ['Complete', 'Failed', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find((type) => hasCondition(job, type)) ??
  (job.metadata.deletionTimestamp === undefined ? 'Running' : 'Terminating')

const completionsText = (job: KubeObject): string => {
  const succeeded = valueAtPath(job, 'status.succeeded') ?? 0
  const completions = valueAtPath(job, 'spec.completions')
  if (completions !== undefined) return `${String(succeeded)}/${String(completions)}`
  const parallelism = Number(valueAtPath(job, 'spec.parallelism') ?? 1)
  return parallelism > 1 ? `${String(succeeded)}/1 of ${parallelism}` : `${String(succeeded)}/1`
}

const durationText = (job: KubeObject, nowMs: number): string => {
  const from = valueAtPath(job, 'status.startTime')
  if (from === undefined) return ''
  const end = valueAtPath(job, 'status.completionTime')
  return renderAge(from, typeof end === 'string' ? Date.parse(end) : nowMs)
}

export const jobType: ResourceType = define('batch/v1', 'Job', 'jobs', {
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  // Kept from the first days of batch/v1; kubectl asks for the background.
  orphansDependents: true,
  admit: admitWorkload(defaultJob),
  initialize: labelPods,
  validate: validateJob,
  columns: [
    column('Status', 'string', statusText),
    column('Completions', 'string', completionsText),
    column('Duration', 'string', durationText),
    ...workloadColumns,
  ],
})
