import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseSettings } from '@scantling/controller'
import { provider as azure } from '@scantling/provider-azure'
import { parse } from 'yaml'
import { root } from '../step.ts'
import { hasHelm, runHelm, template, type Rendered, type Rule } from './helm-chart.ts'

const describeWithHelm = hasHelm ? describe : describe.skip
const settings = { clusterName: 'shop' }
const providers = ['aws', 'azure', 'kwok'] as const

interface Container {
  readonly name: string
  readonly image: string
  readonly env: ReadonlyArray<{ readonly name: string; readonly value?: string; readonly valueFrom?: unknown }>
  readonly [field: string]: unknown
}

interface DeploymentSpec {
  readonly replicas: number
  readonly revisionHistoryLimit: number
  readonly strategy: unknown
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> }
    readonly spec: { readonly containers: readonly [Container, ...Container[]]; readonly [field: string]: unknown }
  }
}

const ofKind = (objects: ReadonlyArray<Rendered>, kind: string): ReadonlyArray<Rendered> =>
  objects.filter((object) => object.kind === kind)

const only = (objects: ReadonlyArray<Rendered>, kind: string): Rendered => {
  const found = ofKind(objects, kind)
  expect(found).toHaveLength(1)
  return found[0] as Rendered
}

const deploymentOf = ({ provider = 'aws', ...values }: Readonly<Record<string, unknown>>) =>
  only(template('chart', { provider, settings, ...values }), 'Deployment').spec as DeploymentSpec

const podOf = (values: Readonly<Record<string, unknown>>) => deploymentOf(values).template.spec
const containerOf = (values: Readonly<Record<string, unknown>>) => podOf(values).containers[0]

const variablesOf = (values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const { env } = containerOf(values)
  expect(new Set(env.map(({ name }) => name)).size).toBe(env.length)
  return Object.fromEntries(env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]))
}

const kindsOf = (objects: ReadonlyArray<Rendered>): ReadonlyArray<string> =>
  ofKind(objects, 'CustomResourceDefinition')
    .map(({ metadata }) => metadata.name)
    .sort()

const coreKinds = [
  'capacitybuffers.autoscaling.x-k8s.io',
  'nodeclaims.karpenter.sh',
  'nodeoverlays.karpenter.sh',
  'nodepools.karpenter.sh',
]

/** `verb group/resource` of every rule. */
const grantsOf = (rules: ReadonlyArray<Rule> = []): ReadonlySet<string> =>
  new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    ),
  )

const named = (objects: ReadonlyArray<Rendered>, kind: string, name: string, namespace?: string): Rendered => {
  const found = ofKind(objects, kind).find(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
  expect(found).toBeDefined()
  return found as Rendered
}

const publicKey = path.join(import.meta.dirname, 'fake-azure/key.pub')

/** A script of deploy/azure, with stand-ins for az and kubectl. */
const azureScript = (name: string, args: ReadonlyArray<string>): string => {
  const ran = spawnSync(path.join(root, 'deploy/azure', name), args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${path.join(import.meta.dirname, 'fake-azure')}:${process.env['PATH'] ?? ''}` },
  })
  if (ran.status !== 0) throw new Error(ran.stderr)
  return ran.stdout
}

/** Reads that every provider needs, `list` and `watch` of each. */
const followed = [
  ...['namespaces', 'nodes', 'persistentvolumeclaims', 'persistentvolumes', 'podtemplates', 'pods', 'services'].map(
    (resource) => `/${resource}`,
  ),
  'apps/daemonsets',
  'karpenter.sh/nodeclaims',
  'karpenter.sh/nodepools',
  'policy/poddisruptionbudgets',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/storageclasses',
  'storage.k8s.io/volumeattachments',
]
const written = [
  'create karpenter.sh/nodeclaims',
  'delete karpenter.sh/nodeclaims',
  'patch karpenter.sh/nodeclaims/status',
  'patch karpenter.sh/nodepools/status',
  'patch /nodes',
  'delete /nodes',
  'create /pods/eviction',
  'delete /pods',
  'create /events',
]

/** The one Lease of the election; in kube-system stand those of Kubernetes itself, too. */
const ofLease = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: ['karpenter-leader-election'],
    verbs: ['get', 'patch'],
  },
]

describeWithHelm('The chart, by Helm itself', () => {
  test.each(providers)('lints for %s', (provider) => {
    expect(runHelm(['lint', 'chart', '--strict'], { provider, settings })).toContain('0 chart(s) failed')
  })

  test('lints the kinds', () => {
    expect(runHelm(['lint', 'chart-crds', '--strict'])).toContain('0 chart(s) failed')
  })

  test('A-HLM-01, K-CHART-04, Z-CHART-01: two charts, one with the kinds beside the controller, one to upgrade them', () => {
    const nodeClasses = {
      aws: 'ec2nodeclasses.karpenter.k8s.aws',
      azure: 'aksnodeclasses.karpenter.azure.com',
      kwok: 'kwoknodeclasses.karpenter.kwok.sh',
    }
    expect(kindsOf(template('chart', { provider: 'aws', settings }, ['--include-crds']))).toEqual(
      [...coreKinds, ...Object.values(nodeClasses)].sort(),
    )
    for (const provider of providers) {
      const kinds = template('chart-crds', {
        provider,
        additionalAnnotations: { 'argocd.argoproj.io/sync-wave': '-1' },
      })
      expect(kindsOf(kinds)).toEqual([...coreKinds, nodeClasses[provider]].sort())
      for (const { metadata } of kinds) expect(metadata.annotations).toEqual({ 'argocd.argoproj.io/sync-wave': '-1' })
    }
    // What Helm reads and writes again is what the generator wrote.
    const [pools] = template('chart-crds').filter(({ metadata }) => metadata.name === 'nodepools.karpenter.sh')
    const text = JSON.stringify(pools)
    expect(text).toContain('restricted')
    expect(text).toContain('"maxItems":100')
    expect(text).toContain('karpenter.sh')
  })

  test('A-HLM-02, K-CHART-01, Z-CHART-01: two replicas apart from each other and from nodes of their own, never down both', () => {
    for (const provider of providers) {
      const objects = template('chart', { provider, settings })
      const {
        replicas,
        revisionHistoryLimit,
        strategy,
        selector,
        template: pod,
      } = only(objects, 'Deployment').spec as DeploymentSpec
      expect({ replicas, revisionHistoryLimit, strategy }).toEqual({
        replicas: 2,
        revisionHistoryLimit: 10,
        strategy: { rollingUpdate: { maxUnavailable: 1 } },
      })
      expect(pod.spec).toMatchObject({
        priorityClassName: 'system-cluster-critical',
        dnsPolicy: 'ClusterFirst',
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }],
        // The chart fills in the selectors.
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'topology.kubernetes.io/zone',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: selector,
          },
        ],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'karpenter.sh/nodepool', operator: 'DoesNotExist' }] }],
            },
          },
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'kubernetes.io/hostname', labelSelector: selector },
            ],
          },
        },
      })
      expect(pod.metadata.labels).toMatchObject(selector.matchLabels)
      expect(only(objects, 'PodDisruptionBudget').spec).toEqual({ maxUnavailable: 1, selector })
    }
    // As the reference's chart for kwok has it.
    const one = deploymentOf({
      provider: 'kwok',
      replicas: 1,
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
      ],
    })
    expect(one.replicas).toBe(1)
    expect(one.template.spec['topologySpreadConstraints']).toEqual([
      expect.objectContaining({ whenUnsatisfiable: 'ScheduleAnyway', labelSelector: one.selector }),
    ])
    const own = { matchLabels: { app: 'other' } }
    expect(
      podOf({
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'kubernetes.io/hostname', labelSelector: own },
            ],
          },
        },
      })['affinity'],
    ).toMatchObject({ podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: own }] } })
  })

  test('A-HLM-03, K-CHART-02: a container without rights, with ports and probes as the reference has them', () => {
    for (const provider of providers) {
      const pod = podOf({ provider })
      expect(pod['securityContext']).toEqual({ fsGroup: 65_532, seccompProfile: { type: 'RuntimeDefault' } })
      expect(pod.containers[0]).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          privileged: false,
          readOnlyRootFilesystem: true,
          runAsUser: 65_532,
          runAsGroup: 65_532,
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        ports: [
          { name: 'http-metrics', containerPort: 8080, protocol: 'TCP' },
          { name: 'http', containerPort: 8081, protocol: 'TCP' },
        ],
        livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, initialDelaySeconds: 30, timeoutSeconds: 30 },
        readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, initialDelaySeconds: 5, timeoutSeconds: 30 },
      })
    }
    expect(
      containerOf({ controller: { securityContext: { seLinuxOptions: { level: 's0' } } } })['securityContext'],
    ).toMatchObject({ runAsNonRoot: true, seLinuxOptions: { level: 's0' } })
  })

  test('A-HLM-04, K-CHART-02: settings become variables, through templates, and the pod tells its own size', () => {
    const variables = variablesOf({
      provider: 'aws',
      settings: {
        clusterName: '{{ .Release.Name }}-shop',
        clusterEndpoint: 'https://{{ .Release.Namespace }}.example',
        clusterCABundle: 'Q0E=',
        interruptionQueue: '{{ .Values.settings.clusterName | upper }}',
        isolatedVPC: true,
        eksControlPlane: true,
        vmMemoryOverheadPercent: 0.05,
        reservedENIs: '1',
        enableZonalShift: true,
        disableDryRun: true,
        metricsDetail: true,
        debugPort: 8090,
        disableClusterStateObservability: true,
        ignoreDRARequests: false,
        amiRefreshInterval: '5m',
        subnetRefreshInterval: '2m',
        awsFeatureGates: { nodeClassCEL: true },
        featureGates: { nodeRepair: true, reservedCapacity: false },
        provider: { REBALANCE_RECOMMENDATIONS: 'drain' },
      },
    })
    expect(variables).toEqual({
      CLUSTER_NAME: 'scantling-shop',
      CLUSTER_ENDPOINT: 'https://karpenter.example',
      CLUSTER_CA_BUNDLE: 'Q0E=',
      INTERRUPTION_QUEUE: '{{ .RELEASE.NAME }}-SHOP',
      ISOLATED_VPC: 'true',
      EKS_CONTROL_PLANE: 'true',
      VM_MEMORY_OVERHEAD_PERCENT: '0.05',
      RESERVED_ENIS: '1',
      ENABLE_ZONAL_SHIFT: 'true',
      DISABLE_DRY_RUN: 'true',
      METRICS_DETAIL: 'true',
      ENABLE_PROFILING: 'false',
      DEBUG_PORT: '8090',
      LOG_OUTPUT_PATHS: 'stdout',
      DISABLE_CLUSTER_STATE_OBSERVABILITY: 'true',
      IGNORE_DRA_REQUESTS: 'false',
      AMI_REFRESH_INTERVAL: '5m',
      SUBNET_REFRESH_INTERVAL: '2m',
      AWS_FEATURE_GATES: 'NodeClassCEL=true',
      FEATURE_GATES:
        'CapacityBuffer=false,NodeOverlay=false,NodeRepair=true,ReservedCapacity=false,SpotToSpotConsolidation=false,StaticCapacity=false',
      REBALANCE_RECOMMENDATIONS: 'drain',
      BATCH_MAX_DURATION: '10s',
      BATCH_IDLE_DURATION: '1s',
      PREFERENCE_POLICY: 'Respect',
      MIN_VALUES_POLICY: 'Strict',
      LOG_LEVEL: 'info',
      METRICS_PORT: '8080',
      HEALTH_PROBE_PORT: '8081',
      SYSTEM_NAMESPACE: { fieldRef: { fieldPath: 'metadata.namespace' } },
      CPU_REQUESTS: { resourceFieldRef: { containerName: 'controller', resource: 'requests.cpu', divisor: '1m' } },
      MEMORY_LIMIT: { resourceFieldRef: { containerName: 'controller', resource: 'limits.memory' } },
    })
    expect(() => template('chart')).toThrow(/settings.clusterName is required/)
  })

  test('K-CHART-03: batches, policies, the scheduler’s defaults and gates for the simulated cloud', () => {
    const schedulerConfig = 'podTopologySpread:\n  defaultConstraints: []\n'
    expect(
      variablesOf({
        provider: 'kwok',
        settings: {
          ...settings,
          batchMaxDuration: '20s',
          batchIdleDuration: '2s',
          preferencePolicy: 'Ignore',
          minValuesPolicy: 'BestEffort',
          schedulerConfig,
          featureGates: { staticCapacity: true, spotToSpotConsolidation: true, nodeRepair: true, capacityBuffer: true },
        },
      }),
    ).toMatchObject({
      BATCH_MAX_DURATION: '20s',
      BATCH_IDLE_DURATION: '2s',
      PREFERENCE_POLICY: 'Ignore',
      MIN_VALUES_POLICY: 'BestEffort',
      SCHEDULER_CONFIG: schedulerConfig,
      FEATURE_GATES:
        'CapacityBuffer=true,NodeOverlay=false,NodeRepair=true,SpotToSpotConsolidation=true,StaticCapacity=true',
    })
  })

  test('A-HLM-05: roles with what is asked for, a place for leases, the cluster’s DNS, and rights for administrators', () => {
    const objects = template('chart', {
      provider: 'aws',
      settings,
      additionalClusterRoleRules: [{ apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }],
    })
    const granted = grantsOf(named(objects, 'ClusterRole', 'scantling').rules)
    for (const resource of [...followed, 'karpenter.k8s.aws/ec2nodeclasses'])
      for (const verb of ['list', 'watch']) expect(granted).toContain(`${verb} ${resource}`)
    for (const grant of [
      ...written,
      'patch karpenter.k8s.aws/ec2nodeclasses',
      'patch karpenter.k8s.aws/ec2nodeclasses/status',
      'get /replicationcontrollers',
      'get example.com/things',
    ])
      expect(granted).toContain(grant)
    expect(granted).not.toContain('patch apps/deployments')
    const withSurge = template('chart', { provider: 'aws', settings, surge: { enabled: true } })
    expect(grantsOf(named(withSurge, 'ClusterRole', 'scantling').rules)).toContain('patch apps/deployments')
    // Neither Secrets nor ConfigMaps, and nothing at large.
    expect([...granted].filter((grant) => /secrets|configmaps|\*|update|^get \/nodes/.test(grant))).toEqual([])
    expect([...granted].filter((grant) => grant.includes('karpenter.kwok.sh'))).toEqual([])
    expect(named(objects, 'Role', 'scantling', 'karpenter').rules).toEqual([...ofLease])
    expect(named(objects, 'Role', 'scantling', 'kube-system').rules).toEqual([
      { apiGroups: [''], resources: ['services'], resourceNames: ['kube-dns'], verbs: ['get'] },
    ])
    const admin = named(objects, 'ClusterRole', 'scantling-admin')
    expect(admin.metadata.labels).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-admin': 'true' })
    for (const verb of ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'])
      for (const kind of ['karpenter.sh/nodepools', 'karpenter.sh/nodeclaims', 'karpenter.k8s.aws/ec2nodeclasses'])
        expect(grantsOf(admin.rules)).toContain(`${verb} ${kind}`)
  })

  test('A-HLM-06: monitoring for the Prometheus operator, and whatever else a pod may have', () => {
    expect(ofKind(template('chart', { provider: 'aws', settings }), 'ServiceMonitor')).toEqual([])
    const monitor = only(
      template('chart', {
        settings,
        serviceMonitor: {
          enabled: true,
          additionalLabels: { release: 'prometheus' },
          relabelings: [{ action: 'keep' }],
          metricRelabelings: [{ action: 'drop' }],
          endpointConfig: { interval: '15s' },
          sampleLimit: 5000,
        },
      }),
      'ServiceMonitor',
    )
    expect(monitor.metadata.labels).toMatchObject({ release: 'prometheus' })
    expect(monitor.spec).toMatchObject({
      sampleLimit: 5000,
      endpoints: [
        {
          port: 'http-metrics',
          path: '/metrics',
          interval: '15s',
          relabelings: [{ action: 'keep' }],
          metricRelabelings: [{ action: 'drop' }],
        },
      ],
    })
    const mount = (name: string) => ({ name, mountPath: `/${name}` })
    const pod = podOf({
      extraVolumes: [{ name: 'aws-iam-token', emptyDir: {} }],
      initContainers: [{ name: 'wait', image: 'busybox' }],
      controller: {
        env: [{ name: 'AWS_REGION', value: 'eu-west-1' }],
        envFrom: [{ secretRef: { name: 'proxy' } }],
        extraVolumeMounts: [mount('aws-iam-token')],
        sidecarContainer: [{ name: 'sigv4', image: 'sigv4' }],
        sidecarVolumeMounts: [mount('config')],
      },
    })
    expect(pod).toMatchObject({
      volumes: [{ name: 'aws-iam-token', emptyDir: {} }],
      initContainers: [{ name: 'wait', image: 'busybox' }],
      containers: [
        {
          env: expect.arrayContaining([{ name: 'AWS_REGION', value: 'eu-west-1' }]),
          envFrom: [{ secretRef: { name: 'proxy' } }],
          volumeMounts: [mount('aws-iam-token')],
        },
        { name: 'sigv4', image: 'sigv4', volumeMounts: [mount('aws-iam-token'), mount('config')] },
      ],
    })
  })

  test('Z-CHART-02: values for a webhook that nothing reads are passed over', () => {
    const values = {
      provider: 'azure',
      webhook: { enabled: true, port: 8443, metrics: { port: 8001 } },
      settings: { ...settings, tags: { team: 'shop', cost: 7 } },
    }
    expect(containerOf(values)['ports']).toEqual([
      { name: 'http-metrics', containerPort: 8080, protocol: 'TCP' },
      { name: 'http', containerPort: 8081, protocol: 'TCP' },
    ])
    const variables = variablesOf(values)
    expect(Object.keys(variables).filter((name) => name.includes('WEBHOOK') || name === 'KARPENTER_SERVICE')).toEqual(
      [],
    )
    expect(variables).toMatchObject({
      ADDITIONAL_TAGS: 'cost=7,team=shop',
      IGNORE_DRA_REQUESTS: 'true',
      FEATURE_GATES: expect.stringContaining('ReservedCapacity=false'),
    })
  })

  test('Z-CHART-03: on Azure also what its nodes’ DNS depends on, and the maintenance window, each by its name', () => {
    const objects = template('chart', { provider: 'azure', settings })
    const granted = grantsOf(named(objects, 'ClusterRole', 'scantling').rules)
    for (const resource of [...followed, 'karpenter.azure.com/aksnodeclasses'])
      for (const verb of ['list', 'watch']) expect(granted).toContain(`${verb} ${resource}`)
    for (const grant of [
      ...written,
      'patch karpenter.azure.com/aksnodeclasses',
      'patch karpenter.azure.com/aksnodeclasses/status',
      'list networking.k8s.io/networkpolicies',
      'list cilium.io/ciliumnetworkpolicies',
      'list cilium.io/ciliumclusterwidenetworkpolicies',
      'list crd.projectcalico.org/networkpolicies',
      'list crd.projectcalico.org/globalnetworkpolicies',
    ])
      expect(granted).toContain(grant)
    expect([...granted].filter((grant) => grant.endsWith('/secrets') || grant.endsWith('/configmaps'))).toEqual([])
    // Whatever the values say of webhooks, for the window has nothing to do with them.
    expect(named(objects, 'Role', 'scantling', 'karpenter').rules).toEqual([
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['upcoming-maintenance-window'], verbs: ['get'] },
      ...ofLease,
    ])
    expect(named(objects, 'Role', 'scantling', 'kube-system').rules).toEqual([
      { apiGroups: [''], resources: ['services'], resourceNames: ['kube-dns'], verbs: ['get'] },
      { apiGroups: ['apps'], resources: ['daemonsets'], resourceNames: ['node-local-dns'], verbs: ['get'] },
    ])
    // In kube-system itself, the two are one role.
    const there = template('chart', { provider: 'azure', settings }, ['--namespace', 'kube-system'])
    expect(grantsOf(named(there, 'Role', 'scantling', 'kube-system').rules)).toEqual(
      new Set([
        'get /configmaps',
        ...['create', 'get', 'patch'].map((verb) => `${verb} coordination.k8s.io/leases`),
        'get /services',
        'get apps/daemonsets',
      ]),
    )
  })

  test('Z-CHART-05: defaults, and values read from a cluster of AKS, which start the controller as they are', () => {
    expect(variablesOf({ provider: 'azure' })).toMatchObject({
      BATCH_MAX_DURATION: '10s',
      BATCH_IDLE_DURATION: '1s',
      IGNORE_DRA_REQUESTS: 'true',
      FEATURE_GATES:
        'CapacityBuffer=false,NodeOverlay=false,NodeRepair=false,ReservedCapacity=false,SpotToSpotConsolidation=false,StaticCapacity=false',
    })
    for (const mode of ['aksscriptless', 'aksmachineapi'] as const) {
      const values = parse(azureScript('values.sh', ['shop', 'group', 'scantling', publicKey, mode])) as object
      const pod = podOf({ provider: 'azure', ...values })
      const env = Object.fromEntries(pod.containers[0].env.map(({ name, value }) => [name, value]))
      expect(pod.containers[0].env).toContainEqual({
        name: 'TOKEN_SECRET',
        valueFrom: { secretKeyRef: { name: 'bootstrap-token-abc', key: 'token-secret' } },
      })
      expect(env).toMatchObject({
        CLUSTER_NAME: 'shop',
        CLUSTER_ENDPOINT: 'https://shop.hcp.westeurope.azmk8s.io:443',
        KUBELET_BOOTSTRAP_TOKEN: '$(TOKEN_ID).$(TOKEN_SECRET)',
        VNET_SUBNET_ID: expect.stringContaining('/subnets/aks-subnet'),
        NETWORK_PLUGIN_MODE: 'overlay',
        NETWORK_POLICY: 'none',
      })
      expect(parseSettings({ argv: [], env }, azure.settings)).toMatchObject({
        _tag: 'Right',
        right: {
          providerSettings: { provisionMode: mode, networkDataplane: 'cilium', useSig: mode !== 'aksscriptless' },
        },
      })
    }
    expect(() => azureScript('values.sh', ['shop', 'group', 'scantling', publicKey, 'other'])).toThrow(/PROVISION_MODE/)
    expect(azureScript('machines-pool.sh', ['shop', 'group', 'spare'])).toBe(
      'put https://management.azure.com/subscriptions/1/resourceGroups/group/providers/Microsoft.ContainerService/managedClusters/shop/agentPools/spare?api-version=2025-07-01 {"properties":{"mode":"Machines"}}\n',
    )
  })

  test('values of Karpenter for AKS move over, with the cluster’s name among the variables', () => {
    const values = {
      provider: 'azure',
      settings: {},
      podLabels: { 'azure.workload.identity/use': 'true' },
      controller: { env: [{ name: 'CLUSTER_NAME', value: 'shop' }] },
    }
    expect(variablesOf(values)).toMatchObject({ CLUSTER_NAME: 'shop' })
  })

  test('identities of the cloud reach the pod', () => {
    const annotations = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/shop' }
    expect(
      only(template('chart', { settings, serviceAccount: { annotations } }), 'ServiceAccount').metadata,
    ).toMatchObject({ name: 'scantling', annotations })
    expect(deploymentOf({ provider: 'azure' }).template.metadata.labels).toMatchObject({
      'azure.workload.identity/use': 'true',
    })
    expect(podOf({ serviceAccount: { create: false, name: 'mine' } })['serviceAccountName']).toBe('mine')
    expect(() => template('chart', { settings, serviceAccount: { create: false } })).toThrow(
      /serviceAccount.name is required/,
    )
  })

  test('only whoever reads metrics reaches the pod, where a policy is asked for', () => {
    const policy = only(
      template('chart', { settings, networkPolicy: { enabled: true, metricsFrom: ['monitoring'] } }),
      'NetworkPolicy',
    )
    expect(policy.spec).toMatchObject({
      policyTypes: ['Ingress'],
      ingress: [
        {
          ports: [{ port: 'http-metrics' }],
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        },
      ],
    })
  })

  test('alerts and dashboard are what the files say', () => {
    const objects = template('chart', { settings, dashboard: { enabled: true }, prometheusRule: { enabled: true } })
    expect(only(objects, 'PrometheusRule').spec).toMatchObject({ groups: [{ name: 'scantling' }] })
    const { data } = only(objects, 'ConfigMap') as unknown as { readonly data: Readonly<Record<string, string>> }
    expect(JSON.parse(data['scantling.json'] ?? '')).toMatchObject({ title: 'Scantling' })
  })

  test('what cannot run is refused with its remedy', () => {
    expect(() => template('chart', { settings, provider: 'gcp' })).toThrow(
      /provider: Invalid value: "gcp": expected aws, azure or kwok/,
    )
    expect(() =>
      template('chart', { settings, controller: { image: { repository: 'public.ecr.aws/karpenter/controller' } } }),
    ).toThrow(/this is Karpenter's own image/)
    expect(
      containerOf({ controller: { image: { repository: 'registry.example/scantling', digest: 'sha256:12' } } }).image,
    ).toBe('registry.example/scantling:0.1.0-aws@sha256:12')
  })
})
