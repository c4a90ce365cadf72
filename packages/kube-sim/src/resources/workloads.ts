import type { KubeObject } from '../face.ts'
import { forbiddenValue, invalidValue, type FieldError } from '../server/failures.ts'
import { equalJson, valueAtPath } from '../server/json.ts'
import { subdomainName, validateLabels } from '../server/metadata.ts'
import type { ResourceType } from '../server/registry.ts'
import { pathColumn, specOf, workloadColumns } from './columns.ts'
import { daemonSetType } from './daemon-sets.ts'
import { define } from './define.ts'
import { jobType } from './jobs.ts'
import { admitPod, initializePod, validatePod } from './pod.ts'
import { podColumns } from './pod-columns.ts'
import { statefulSetType } from './stateful-sets.ts'
import {
  admitWorkload,
  initialStatus,
  readyColumn,
  rollingUpdate,
  scale,
  setDefault,
  validateWorkload,
} from './workload-rules.ts'

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
    initialize: initialStatus({}),
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
    initialize: initialStatus({ replicas: 0 }),
    validate: validateWorkload(['selector']),
    columns: [
      pathColumn('Desired', 'integer', 'spec.replicas'),
      pathColumn('Current', 'integer', 'status.replicas'),
      pathColumn('Ready', 'integer', 'status.readyReplicas'),
      ...workloadColumns,
    ],
  }),
  daemonSetType,
  statefulSetType,
  define('apps/v1', 'ControllerRevision', 'controllerrevisions', {
    columns: [pathColumn('Revision', 'integer', 'revision')],
    validate: (object, previous) =>
      previous !== undefined && !equalJson(object['data'], previous['data'])
        ? [invalidValue('data', object['data'], 'field is immutable')]
        : [],
  }),
  jobType,
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
