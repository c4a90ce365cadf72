import { nobody } from './benches.ts'
import { check, equal, type Bench, type ContractCheck } from './contract-api.ts'

const given = {
  ...nobody,
  containers: [
    {
      name: 'main',
      image: 'one',
      ports: [{ containerPort: 80 }],
      readinessProbe: { httpGet: { port: 80 } },
      lifecycle: { preStop: { httpGet: { port: 80 } } },
      env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      resources: { limits: { cpu: '1000m', memory: '1024Mi' } },
    },
    { name: 'side', image: 'two:1', livenessProbe: { exec: { command: ['true'] }, periodSeconds: 3 } },
  ],
  volumes: [
    { name: 'host', hostPath: { path: '/x' } },
    { name: 'config', configMap: { name: 'x' } },
  ],
}
const logged = { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' }
const usual = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
const amounts = { cpu: '1', memory: '1Gi' }
const completed = {
  ...nobody,
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  securityContext: {},
  containers: [
    {
      ...logged,
      name: 'main',
      image: 'one',
      imagePullPolicy: 'Always',
      ports: [{ containerPort: 80, protocol: 'TCP' }],
      readinessProbe: { ...usual, httpGet: { path: '/', port: 80, scheme: 'HTTP' } },
      lifecycle: { preStop: { httpGet: { path: '/', port: 80, scheme: 'HTTP' } } },
      env: [{ name: 'NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } }],
      resources: { limits: amounts },
    },
    {
      ...logged,
      name: 'side',
      image: 'two:1',
      imagePullPolicy: 'IfNotPresent',
      livenessProbe: { ...usual, exec: { command: ['true'] }, periodSeconds: 3 },
      resources: {},
    },
  ],
  volumes: [
    { name: 'host', hostPath: { path: '/x', type: '' } },
    { name: 'config', configMap: { name: 'x', defaultMode: 420 } },
  ],
}
const metadata = { labels: { app: 'web' } }
const selector = { matchLabels: { app: 'web' } }
const [before, after] = [
  { metadata, spec: given },
  { metadata, spec: completed },
]

const made = async ({ post, namespace }: Bench, group: string, plural: string, body: object) => {
  const answer = await post(`/apis/${group}/namespaces/${namespace}/${plural}`, { metadata: { name: 'web' }, ...body })
  return { spec: answer.body.spec as unknown, status: answer.body.status as unknown }
}

/** What the server adds to what it is given. */
export const defaultChecks: ReadonlyArray<ContractCheck> = [
  check('a workload is answered with all that its manifest left open', async (bench) => {
    const spec = { replicas: 0, selector, template: before }
    equal(await made(bench, 'apps/v1', 'deployments', { spec }), {
      spec: {
        replicas: 0,
        selector,
        template: after,
        progressDeadlineSeconds: 600,
        revisionHistoryLimit: 10,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      },
      status: {},
    })
    equal(await made(bench, 'apps/v1', 'replicasets', { spec }), {
      spec: { replicas: 0, selector, template: after },
      status: { replicas: 0 },
    })
    const nowhere = { ...before, spec: { ...given, nodeSelector: { bench: 'nowhere' } } }
    equal(await made(bench, 'apps/v1', 'daemonsets', { spec: { selector, template: nowhere } }), {
      spec: {
        selector,
        template: { ...after, spec: { ...completed, nodeSelector: { bench: 'nowhere' } } },
        revisionHistoryLimit: 10,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      },
      status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
    })
    const { spec: set } = await made(bench, 'apps/v1', 'statefulsets', { spec: { ...spec, serviceName: 'web' } })
    equal(set, {
      ...spec,
      template: after,
      serviceName: 'web',
      podManagementPolicy: 'OrderedReady',
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    })
    const once = { ...before, spec: { ...given, restartPolicy: 'Never' } }
    const cron = { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: once } } }
    equal(await made(bench, 'batch/v1', 'cronjobs', { spec: cron }), {
      spec: {
        schedule: '0 0 1 1 *',
        concurrencyPolicy: 'Allow',
        suspend: false,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 1,
        jobTemplate: {
          metadata: {},
          spec: { template: { ...after, spec: { ...completed, restartPolicy: 'Never' } } },
        },
      },
      status: {},
    })
  }),

  check('a limit without a request is a request, of a pod but not of a template', async (bench) => {
    const pods = `/api/v1/namespaces/${bench.namespace}/pods`
    const { body } = await bench.post(pods, { metadata: { name: 'web' }, spec: given })
    const { containers } = body.spec as unknown as {
      readonly containers: ReadonlyArray<{ readonly resources: unknown }>
    }
    equal(
      containers.map(({ resources }) => resources),
      [{ limits: amounts, requests: amounts }, {}],
    )
  }),

  check('a Deployment that is recreated is not available while pods are missing', async (bench) => {
    const path = `/apis/apps/v1/namespaces/${bench.namespace}/deployments/web`
    const spec = { replicas: 1, selector, template: before, strategy: { type: 'Recreate' } }
    await made(bench, 'apps/v1', 'deployments', { spec })
    const conditions = async () => (await bench.get(path)).body.status.conditions ?? []
    await bench.until('its pod is there', async () => (await bench.get(path)).body.status['updatedReplicas'] === 1)
    const available = (await conditions()).find(({ type }) => type === 'Available')
    equal(
      [available?.status, available?.reason, Object.keys(available ?? {}).toSorted()],
      [
        'False',
        'MinimumReplicasUnavailable',
        ['lastTransitionTime', 'lastUpdateTime', 'message', 'reason', 'status', 'type'],
      ],
    )
  }),
]
