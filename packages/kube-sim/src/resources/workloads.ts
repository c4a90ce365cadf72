import type { KubeObject } from '../face.ts'
import { forbiddenValue, invalidValue, requiredValue, type FieldError } from '../server/failures.ts'
import { equalJson, objectAt, valueAtPath, type JsonObject } from '../server/json.ts'
import { subdomainName, validateLabels } from '../server/metadata.ts'
import type { ResourceType, ScalePaths } from '../server/registry.ts'
import { matchesLabelSelector } from '../server/selectors.ts'
import { column, pathColumn, specOf, workloadColumns } from './columns.ts'
import { define } from './define.ts'
import { admitPod, defaultPodSpec, initializePod, validatePod, validatePodSpec } from './pod.ts'
import { podColumns } from './pod-columns.ts'

const setDefault = (object: JsonObject, key: string, value: unknown): void => {
  if (object[key] === undefined || object[key] === null) object[key] = value
}

const defaultTemplate = (object: JsonObject): void => {
  const template = objectAt(objectAt(object, 'spec'), 'template')
  const spec = objectAt(template, 'spec')
  if (template === undefined || spec === undefined) return
  setDefault(template, 'metadata', {})
  defaultPodSpec(spec)
}

/** Runs `set` on the spec (made when absent), after the template's defaults. */
const admitWorkload =
  (set: (spec: JsonObject) => void): ResourceType['admit'] =>
  (object) => {
    setDefault(object, 'spec', {})
    const spec = objectAt(object, 'spec')
    if (spec !== undefined) set(spec)
    defaultTemplate(object)
    return []
  }

/** Selector, template and replicas; `fixed` are the fields of the spec that never change. */
const validateWorkload =
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

const scale: ScalePaths = {
  specReplicas: 'spec.replicas',
  statusReplicas: 'status.replicas',
  selector: 'spec.selector',
}

const count = (object: KubeObject, path: string): number => {
  const value = valueAtPath(object, path)
  return typeof value === 'number' ? value : 0
}

const rollingUpdate = (spec: JsonObject, key: string, parameters: JsonObject): void => {
  setDefault(spec, key, {})
  const strategy = objectAt(spec, key)
  if (strategy === undefined) return
  setDefault(strategy, 'type', 'RollingUpdate')
  if (strategy['type'] !== 'RollingUpdate') return
  setDefault(strategy, 'rollingUpdate', {})
  const settings = objectAt(strategy, 'rollingUpdate')
  if (settings !== undefined) for (const [name, value] of Object.entries(parameters)) setDefault(settings, name, value)
}

const readyColumn = (path: string) =>
  column('Ready', 'string', (object) => `${count(object, path)}/${count(object, 'spec.replicas')}`)

/** Pods, and the workloads that make them. */
export const workloadTypes: ReadonlyArray<ResourceType> = [
  define('v1', 'Pod', 'pods', {
    shortNames: ['po'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    graceful: true,
    selectableFields: [
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'spec.hostNetwork',
      'status.phase',
      'status.podIP',
      'status.nominatedNodeName',
    ],
    admit: (pod, _version, surroundings) => {
      admitPod(pod, surroundings)
      return []
    },
    initialize: initializePod,
    validate: validatePod,
    allColumns: podColumns,
  }),
  define('v1', 'PodTemplate', 'podtemplates'),
  define('apps/v1', 'Deployment', 'deployments', {
    shortNames: ['deploy'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    scale,
    admit: admitWorkload((spec) => {
      setDefault(spec, 'replicas', 1)
      rollingUpdate(spec, 'strategy', { maxUnavailable: '25%', maxSurge: '25%' })
      setDefault(spec, 'revisionHistoryLimit', 10)
      setDefault(spec, 'progressDeadlineSeconds', 600)
    }),
    validate: validateWorkload(['selector']),
    columns: [
      readyColumn('status.readyReplicas'),
      pathColumn('Up-to-date', 'integer', 'status.updatedReplicas'),
      pathColumn('Available', 'integer', 'status.availableReplicas'),
      ...workloadColumns,
    ],
  }),
  define('apps/v1', 'ReplicaSet', 'replicasets', {
    shortNames: ['rs'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    scale,
    selectableFields: ['status.replicas'],
    admit: admitWorkload((spec) => setDefault(spec, 'replicas', 1)),
    validate: validateWorkload(['selector']),
    columns: [
      pathColumn('Desired', 'integer', 'spec.replicas'),
      pathColumn('Current', 'integer', 'status.replicas'),
      pathColumn('Ready', 'integer', 'status.readyReplicas'),
      ...workloadColumns,
    ],
  }),
  define('apps/v1', 'DaemonSet', 'daemonsets', {
    shortNames: ['ds'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    admit: admitWorkload((spec) => {
      rollingUpdate(spec, 'updateStrategy', { maxUnavailable: 1, maxSurge: 0 })
      setDefault(spec, 'revisionHistoryLimit', 10)
    }),
    validate: validateWorkload(['selector']),
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
  }),
  define('apps/v1', 'StatefulSet', 'statefulsets', {
    shortNames: ['sts'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    scale,
    admit: admitWorkload((spec) => {
      setDefault(spec, 'replicas', 1)
      setDefault(spec, 'podManagementPolicy', 'OrderedReady')
      rollingUpdate(spec, 'updateStrategy', { partition: 0 })
      setDefault(spec, 'revisionHistoryLimit', 10)
    }),
    validate: validateWorkload(['selector', 'serviceName', 'podManagementPolicy']),
    columns: [readyColumn('status.readyReplicas'), ...workloadColumns],
  }),
  define('apps/v1', 'ControllerRevision', 'controllerrevisions', {
    columns: [pathColumn('Revision', 'integer', 'revision')],
    validate: (object, previous) =>
      previous !== undefined && !equalJson(object['data'], previous['data'])
        ? [invalidValue('data', object['data'], 'field is immutable')]
        : [],
  }),
  define('batch/v1', 'Job', 'jobs', {
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    admit: admitWorkload((spec) => {
      setDefault(spec, 'parallelism', 1)
      setDefault(spec, 'completions', 1)
      setDefault(spec, 'backoffLimit', 6)
    }),
    validate: (object) => validatePodSpec(objectAt(objectAt(specOf(object), 'template'), 'spec'), 'spec.template.spec'),
    columns: [
      column('Status', 'string', (job) => (count(job, 'status.succeeded') > 0 ? 'Complete' : 'Running')),
      column('Completions', 'string', (job) => `${count(job, 'status.succeeded')}/${count(job, 'spec.completions')}`),
    ],
  }),
  define('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', {
    shortNames: ['pdb'],
    hasStatus: true,
    hasGeneration: true,
    nameRule: subdomainName,
    initialize: (object) => {
      object['status'] = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
    },
    validate: validateBudget,
    columns: [
      pathColumn('Min Available', 'string', 'spec.minAvailable', { none: 'N/A' }),
      pathColumn('Max Unavailable', 'string', 'spec.maxUnavailable', { none: 'N/A' }),
      pathColumn('Allowed Disruptions', 'integer', 'status.disruptionsAllowed'),
    ],
  }),
]

function validateBudget(object: KubeObject): ReadonlyArray<FieldError> {
  const spec = specOf(object)
  const errors: FieldError[] = []
  if (spec?.['minAvailable'] !== undefined && spec['maxUnavailable'] !== undefined) {
    errors.push(invalidValue('spec', 'object', 'minAvailable and maxUnavailable cannot be both set'))
  }
  for (const key of ['minAvailable', 'maxUnavailable']) {
    const value = spec?.[key]
    if (value === undefined) continue
    if (typeof value === 'number' && Number.isInteger(value)) {
      if (value < 0) errors.push(invalidValue(`spec.${key}`, value, 'must be greater than or equal to 0'))
    } else if (typeof value !== 'string' || !/^\d+%$/.test(value) || Number.parseInt(value, 10) > 100) {
      errors.push(
        invalidValue(
          `spec.${key}`,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      )
    }
  }
  errors.push(...validateLabels(valueAtPath(spec, 'selector.matchLabels'), 'spec.selector.matchLabels'))
  const policy = spec?.['unhealthyPodEvictionPolicy']
  if (policy !== undefined && policy !== 'IfHealthyBudget' && policy !== 'AlwaysAllow') {
    errors.push(forbiddenValue('spec.unhealthyPodEvictionPolicy', 'must be IfHealthyBudget or AlwaysAllow'))
  }
  return errors
}
