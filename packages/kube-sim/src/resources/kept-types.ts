import { objectAt, objectsAt, stringAt } from '../server/json.ts'
import { pathSegmentName } from '../server/metadata.ts'
import type { ResourceType } from '../server/registry.ts'
import { column, pathColumn, specOf } from './columns.ts'
import { define } from './define.ts'
import { defaultTemplate, initialStatus, setDefault } from './workload-rules.ts'

const rules = { nameRule: pathSegmentName }
const binding = {
  ...rules,
  columns: [
    column('Role', 'string', ({ roleRef }) => ['kind', 'name'].map((key) => stringAt(roleRef as never, key)).join('/')),
  ],
}
const clusterWide = { namespaced: false }
const webhooks = {
  ...clusterWide,
  hasGeneration: true,
  columns: [column('Webhooks', 'integer', (object) => objectsAt(object as never, 'webhooks').length)],
}
const desired = { hasStatus: true, hasGeneration: true }

/**
 * What is stored and shown, so that the manifests of a whole application can be applied, though nothing acts on it.
 *
 * Their content is neither checked nor, but for what `kubectl get` shows, completed.
 */
export const keptTypes: ReadonlyArray<ResourceType> = [
  define('batch/v1', 'CronJob', 'cronjobs', {
    ...desired,
    shortNames: ['cj'],
    categories: ['all'],
    admit: (object) => {
      const spec = objectAt(object, 'spec')
      if (spec === undefined) return []
      setDefault(spec, 'concurrencyPolicy', 'Allow')
      setDefault(spec, 'suspend', false)
      setDefault(spec, 'successfulJobsHistoryLimit', 3)
      setDefault(spec, 'failedJobsHistoryLimit', 1)
      const job = objectAt(spec, 'jobTemplate')
      if (job === undefined) return []
      setDefault(job, 'metadata', {})
      defaultTemplate(job)
      return []
    },
    initialize: initialStatus({}),
    columns: [
      pathColumn('Schedule', 'string', 'spec.schedule'),
      pathColumn('Timezone', 'string', 'spec.timeZone'),
      pathColumn('Suspend', 'boolean', 'spec.suspend'),
      column('Active', 'integer', ({ status }) => objectsAt(status as never, 'active').length),
    ],
  }),
  define('v1', 'ReplicationController', 'replicationcontrollers', {
    ...desired,
    shortNames: ['rc'],
    categories: ['all'],
    columns: [
      pathColumn('Desired', 'integer', 'spec.replicas'),
      pathColumn('Current', 'integer', 'status.replicas'),
      pathColumn('Ready', 'integer', 'status.readyReplicas'),
    ],
  }),
  define('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', {
    ...desired,
    hasGeneration: false,
    shortNames: ['hpa'],
    categories: ['all'],
    admit: (object) => {
      const spec = objectAt(object, 'spec')
      if (spec !== undefined) setDefault(spec, 'minReplicas', 1)
      return []
    },
    columns: [
      column('Reference', 'string', (object) =>
        ['kind', 'name'].map((key) => stringAt(objectAt(specOf(object), 'scaleTargetRef'), key)).join('/'),
      ),
      pathColumn('MinPods', 'integer', 'spec.minReplicas'),
      pathColumn('MaxPods', 'integer', 'spec.maxReplicas'),
      pathColumn('Replicas', 'integer', 'status.currentReplicas'),
    ],
  }),
  define('networking.k8s.io/v1', 'Ingress', 'ingresses', {
    ...desired,
    initialize: initialStatus({ loadBalancer: {} }),
    shortNames: ['ing'],
    columns: [
      pathColumn('Class', 'string', 'spec.ingressClassName'),
      column('Hosts', 'string', (object) => {
        const hosts = objectsAt(specOf(object), 'rules').flatMap((rule) => stringAt(rule, 'host') ?? [])
        return hosts.length === 0 ? '*' : hosts.join(',')
      }),
    ],
  }),
  define('networking.k8s.io/v1', 'IngressClass', 'ingressclasses', {
    ...clusterWide,
    hasGeneration: true,
    columns: [pathColumn('Controller', 'string', 'spec.controller')],
  }),
  define('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', { shortNames: ['netpol'], hasGeneration: true }),
  define('rbac.authorization.k8s.io/v1', 'Role', 'roles', rules),
  define('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', { ...rules, ...clusterWide }),
  define('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', binding),
  define('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', { ...binding, ...clusterWide }),
  define('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', webhooks),
  define(
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    webhooks,
  ),
  define('node.k8s.io/v1', 'RuntimeClass', 'runtimeclasses', {
    ...clusterWide,
    columns: [pathColumn('Handler', 'string', 'handler')],
  }),
]
