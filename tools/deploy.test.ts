import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { families, isDetailed, type MetricFamily } from '@scantling/controller'
import { parse } from 'yaml'
import { targetMajor } from '../deploy/bundle-provider.ts'
import { readImage } from './packaging/image.ts'
import { root } from './step.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** An expression of PromQL with the labels that its name, text or selectors use. */
interface Query {
  readonly expression: string
  readonly labels: ReadonlyArray<string>
}

const labelsIn = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].flatMap(([, found = '']) => found.split(',').map((label) => label.trim()))

const queryOf = (expression: string, text: string): Query => ({
  expression,
  labels: [
    ...labelsIn(expression, /by \(([^)]*)\)/g),
    ...labelsIn(expression, /(\w+)=/g),
    ...labelsIn(text, /\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g),
  ],
})

const queries = (): ReadonlyArray<Query> => {
  const dashboard = JSON.parse(read('deploy/chart/files/dashboard.json')) as {
    readonly panels: ReadonlyArray<{
      readonly targets: ReadonlyArray<{ readonly expr: string; readonly legendFormat: string }>
    }>
  }
  const alerts = parse(read('deploy/chart/files/alerts.yaml')) as {
    readonly groups: ReadonlyArray<{
      readonly rules: ReadonlyArray<{ readonly expr: string; readonly annotations: unknown }>
    }>
  }
  return [
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr, legendFormat }) => queryOf(expr, legendFormat))),
    ...alerts.groups.flatMap(({ rules }) =>
      rules.map(({ expr, annotations }) => queryOf(expr, JSON.stringify(annotations))),
    ),
  ]
}

describe('What is installed', () => {
  const known = new Map<string, MetricFamily>(
    Object.values<MetricFamily>(families).flatMap((family) => {
      const suffixes = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] }
      const { [family.type as 'histogram']: own = [''] } = suffixes
      return own.map((suffix) => [`${family.name}${suffix}`, family] as const)
    }),
  )

  test.each(queries().map(({ expression, labels }) => [expression, labels] as const))(
    'dashboard and alerts ask for what is there without detail: %s',
    (expression, labels) => {
      const names = expression.match(/\b(?:karpenter|scantling|leader_election)_[a-z_]+/g) ?? []
      expect(names.length).toBeGreaterThan(0)
      for (const name of names) {
        const family = known.get(name)
        expect({ name, isKnown: family !== undefined }).toEqual({ name, isKnown: true })
        if (family === undefined) continue
        expect({ name, isDetailed: isDetailed(family) }).toEqual({ name, isDetailed: false })
        const own = [
          ...family.labels,
          name.endsWith('_bucket') ? 'le' : '',
          family.type === 'summary' ? 'quantile' : '',
        ]
        expect({ name, labels: labels.filter((label) => !own.includes(label)) }).toEqual({ name, labels: [] })
      }
    },
  )

  /** Of the reference's charts for AWS and Azure; the facts that a values file which moves over depends on. */
  test('A-HLM-01, Z-CHART-01: every value of the reference’s charts is one here, or known to be without an effect', () => {
    const top =
      'additionalAnnotations additionalClusterRoleRules additionalLabels affinity dnsConfig dnsPolicy extraVolumes fullnameOverride hostNetwork imagePullPolicy imagePullSecrets initContainers logLevel logOutputPaths nameOverride nodeSelector podAnnotations podLabels priorityClassName replicas revisionHistoryLimit schedulerName terminationGracePeriodSeconds tolerations topologySpreadConstraints'
    const within = {
      controller: 'containerName env envFrom extraVolumeMounts resources sidecarContainer sidecarVolumeMounts',
      'controller.image': 'repository tag digest',
      'controller.securityContext': 'appArmorProfile seLinuxOptions seccompProfile',
      'controller.metrics': 'port',
      'controller.healthProbe': 'port',
      podDisruptionBudget: 'name maxUnavailable',
      podSecurityContext: 'fsGroup seccompProfile',
      service: 'annotations',
      serviceAccount: 'create name annotations',
      serviceMonitor: 'enabled additionalLabels relabelings metricRelabelings endpointConfig sampleLimit',
      'strategy.rollingUpdate': 'maxUnavailable',
      settings:
        'amiRefreshInterval batchIdleDuration batchMaxDuration clusterCABundle clusterEndpoint clusterName disableClusterStateObservability disableDryRun eksControlPlane enableZonalShift ignoreDRARequests interruptionQueue isolatedVPC minValuesPolicy preferencePolicy reservedENIs subnetRefreshInterval tags vmMemoryOverheadPercent',
      'settings.featureGates':
        'capacityBuffer nodeOverlay nodeRepair reservedCapacity spotToSpotConsolidation staticCapacity',
      'settings.awsFeatureGates': 'nodeClassCEL',
    }
    const values: unknown = parse(read('deploy/chart/values.yaml'))
    const has = (name: string): boolean =>
      name
        .split('.')
        .reduce<unknown>((at, step) => (at as Readonly<Record<string, unknown>> | undefined)?.[step], values) !==
      undefined
    const wanted = [
      ...top.split(' '),
      ...Object.entries(within).flatMap(([under, names]) => names.split(' ').map((name) => `${under}.${name}`)),
    ]
    expect(wanted.filter((name) => !has(name))).toEqual([])
    // A logger without errors of its own, and a webhook that nobody serves.
    expect(['logErrorOutputPaths', 'webhook'].filter(has)).toEqual([])
  })

  test('the image has the Node that the bundles are made for, and copies what they are', () => {
    const { base, copies } = readImage('kwok')
    expect(/nodejs(\d+)/.exec(base)?.[1]).toBe(String(targetMajor))
    expect(copies.map(([source]) => source)).toEqual(
      ['mjs', 'cdx.json', 'licences.txt'].map((ending) => `dist/scantling-controller-kwok.${ending}`),
    )
  })
})
