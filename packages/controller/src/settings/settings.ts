import { Quantity, type Setting, type SettingsSpec, type TopologySpreadConstraint } from '@scantling/core'
import { SettingCodecs } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { type FeatureGates, defaultFeatureGates, featureGatesCodec } from './feature-gates.ts'
import { schedulerConfigCodec } from './scheduler-config.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/** The controller's settings, decoded from flags and environment. */
export interface Settings {
  readonly provider: string
  readonly clusterName: string
  readonly clusterEndpoint: string | undefined
  readonly clusterCaBundle: string | undefined
  /** `--server URL`: plain connection without credentials, for the embedded cluster. */
  readonly server: string | undefined
  readonly kubeconfig: string | undefined
  readonly metricsPort: number
  readonly healthProbePort: number
  /** The address that metrics and probes listen on; `127.0.0.1` for the embedded cluster. */
  readonly bindAddress: string
  readonly kubeClientQps: number
  readonly kubeClientBurst: number
  /** Watches begin with what there is, on servers that can; otherwise everything is listed first. */
  readonly watchList: boolean
  /** Serve CPU and allocation profiles on the metrics port. */
  readonly enableProfiling: boolean
  /** The port of /debug/snapshot on loopback; `undefined` serves none. */
  readonly debugPort: number | undefined
  readonly leaderElect: boolean
  readonly disableLeaderElection: boolean
  readonly leaderElectionName: string
  readonly leaderElectionNamespace: string
  /** Nine tenths of it are the soft limit above which work is held back. */
  readonly memoryLimitBytes: number | undefined
  /** How many passes reconcilers run at once grows with it. */
  readonly cpuRequestsMilli: number
  /** Leave out metrics of single pods, nodes, NodePools and conditions. */
  readonly disableClusterStateObservability: boolean
  /** Keep metric families of single pods, nodes and instance types. */
  readonly metricsDetail: boolean
  readonly logLevel: LogLevel
  /** A file whose content is the level while there is one; read again every few seconds. */
  readonly logLevelFile: string | undefined
  /** `stdout`, `stderr` or files. */
  readonly logOutputPaths: ReadonlyArray<string>
  readonly batchMaxDurationMs: number
  readonly batchIdleDurationMs: number
  readonly preferencePolicy: 'Respect' | 'Ignore'
  readonly minValuesPolicy: 'Strict' | 'BestEffort'
  readonly ignoreDraRequests: boolean
  readonly featureGates: FeatureGates
  /** Spread constraints for pods that have none of their own, as the cluster's scheduler has them. */
  readonly schedulerConfig: ReadonlyArray<TopologySpreadConstraint>
  /** Seeds everything random in the controller: jitter, tie-breaks. */
  readonly seed: number
}

const setting = <A>(flag: string, codec: Setting<A>['codec'], fallback: NoInfer<A>, help: string): Setting<A> => ({
  flag,
  env: [flag.toUpperCase().replaceAll('-', '_')],
  codec,
  default: fallback,
  help,
})

const { duration, nonEmptyListOf, oneOf, text, trueOrFalse, wholeNumber } = SettingCodecs

/** The same codec, for a setting that may be absent altogether. */
const optional = <A>(codec: Setting<A>['codec']) => codec as Setting<A | undefined>['codec']

/** An absent text setting is `undefined`, not an empty string. */
const optionalText = optional(text)

const port = wholeNumber(0, 65_535)

/** Millicores, as the reference's chart passes them: `1000`; quantities such as `1` core are not meant. */
const milliCpu = SettingCodecs.make<number>(
  'millicores',
  // Source: parity row O-02, values of zero and below become 1000.
  (input) =>
    /^-?\d+$/.test(input.trim())
      ? E.right(Number(input) > 0 ? Number(input) : 1000)
      : E.left('expected millicores such as 1000'),
  String,
)

/** Bytes as a number or quantity; -1 is no limit. */
const memoryBytes = SettingCodecs.make<number | undefined>(
  'bytes',
  (input) => {
    if (input.trim() === '-1') return E.right(undefined)
    const parsed = Quantity.parse(input.trim())
    return E.isRight(parsed) && Quantity.toNumber(parsed.right) > 0
      ? E.right(Quantity.toNumber(parsed.right))
      : E.left('expected bytes such as 1073741824 or 1Gi, or -1 for no limit')
  },
  (value) => String(value ?? -1),
)

/** The reference's, so that two controllers in one namespace exclude each other. */
export const usualLeaseName = 'karpenter-leader-election'

/**
 * The controller's own settings: flags and variables with the reference's names.
 *
 * Source: parity sections 2.4 and 2.5. Different from the reference: a value that cannot be read is an error, never a
 * silent default.
 */
export const settingsSpec: SettingsSpec<Settings> = {
  fields: {
    provider: setting('provider', text, 'kwok', 'the cloud: aws, azure, kwok, or the npm package of a provider'),
    clusterName: setting('cluster-name', text, 'default', 'name of the cluster, as it marks its instances'),
    clusterEndpoint: setting(
      'cluster-endpoint',
      optionalText,
      undefined,
      'address of the API server as nodes reach it',
    ),
    clusterCaBundle: setting('cluster-ca-bundle', optionalText, undefined, "the API server's CA for nodes, base64"),
    server: setting('server', optionalText, undefined, 'URL of an API server that asks for no credentials'),
    kubeconfig: setting('kubeconfig', optionalText, undefined, 'path of the kubeconfig'),
    metricsPort: setting('metrics-port', port, 8080, 'port of /metrics; 0 takes a free one'),
    healthProbePort: setting('health-probe-port', port, 8081, 'port of /healthz and /readyz; 0 takes a free one'),
    bindAddress: setting('bind-address', text, '0.0.0.0', 'address that metrics and probes listen on'),
    kubeClientQps: setting('kube-client-qps', wholeNumber(1, 100_000), 200, 'requests to the API server per second'),
    kubeClientBurst: setting('kube-client-burst', wholeNumber(1, 100_000), 300, 'requests to the API server at once'),
    // By the name that Kubernetes' own clients know it by; they have no flag for it.
    watchList: {
      env: ['KUBE_FEATURE_WatchListClient'],
      codec: trueOrFalse,
      default: true,
      help: 'begin watches with what there is, where the API server can',
    },
    enableProfiling: setting(
      'enable-profiling',
      trueOrFalse,
      false,
      'serve /debug/pprof/profile and /debug/pprof/heap on the metrics port',
    ),
    debugPort: setting(
      'debug-port',
      optional(port),
      undefined,
      'port of /debug/snapshot on 127.0.0.1; 0 takes a free one (default: no such port)',
    ),
    leaderElect: setting('leader-elect', trueOrFalse, true, 'elect one leader among replicas'),
    disableLeaderElection: setting('disable-leader-election', trueOrFalse, false, 'the same, as the reference says it'),
    leaderElectionName: setting('leader-election-name', text, usualLeaseName, 'name of the Lease'),
    leaderElectionNamespace: setting(
      'leader-election-namespace',
      text,
      '',
      "namespace of the Lease (default: the pod's, or kube-system)",
    ),
    memoryLimitBytes: setting(
      'memory-limit',
      memoryBytes,
      undefined,
      "the container's memory limit; above nine tenths of it work is held back",
    ),
    cpuRequestsMilli: setting(
      'cpu-requests',
      milliCpu,
      1000,
      "the container's CPU request in millicores; more passes run at once with more",
    ),
    disableClusterStateObservability: setting(
      'disable-cluster-state-observability',
      trueOrFalse,
      false,
      'leave out metrics of single pods, nodes, NodePools and conditions',
    ),
    metricsDetail: setting(
      'metrics-detail',
      trueOrFalse,
      false,
      'keep metric families with a series for each pod, node or instance type',
    ),
    logLevel: setting(
      'log-level',
      oneOf(...logLevels),
      'info',
      'least level of log lines; SIGUSR2 switches to debug and back',
    ),
    logLevelFile: setting(
      'log-level-file',
      optionalText,
      undefined,
      'file that holds the level while it is there, such as a key of a mounted ConfigMap',
    ),
    logOutputPaths: setting(
      'log-output-paths',
      nonEmptyListOf('paths'),
      ['stdout'],
      'where log lines go: stdout, stderr or files',
    ),
    batchMaxDurationMs: setting('batch-max-duration', duration(), 10_000, 'longest window in which pods are collected'),
    batchIdleDurationMs: setting(
      'batch-idle-duration',
      duration(),
      1000,
      'a window ends when no pod came for this long',
    ),
    preferencePolicy: setting(
      'preference-policy',
      oneOf('Respect', 'Ignore'),
      'Respect',
      'how preferences of pods count',
    ),
    minValuesPolicy: setting(
      'min-values-policy',
      oneOf('Strict', 'BestEffort'),
      'Strict',
      'whether minValues may relax',
    ),
    ignoreDraRequests: setting(
      'ignore-dra-requests',
      trueOrFalse,
      true,
      'leave out pods that claim devices; they are left out in any case',
    ),
    featureGates: setting('feature-gates', featureGatesCodec, defaultFeatureGates, 'features to switch on or off'),
    schedulerConfig: setting(
      'scheduler-config',
      schedulerConfigCodec,
      [],
      "the scheduler's configuration as YAML or JSON: podTopologySpread.defaultConstraints",
    ),
    seed: setting('seed', wholeNumber(0, 2 ** 32 - 1), 0, 'seed of everything random; 0 takes one from the clock'),
  },
  check: (settings) =>
    settings.batchIdleDurationMs > settings.batchMaxDurationMs
      ? [
          `Cannot use batch-idle-duration ${settings.batchIdleDurationMs / 1000}s: it is longer than batch-max-duration ${settings.batchMaxDurationMs / 1000}s; shorten it`,
        ]
      : [],
}

/**
 * Flags of the reference that have no effect here; accepted, so that a Deployment written for it starts, and reported.
 *
 * There is no Service and no webhook; a standby always keeps its caches warm; and a logger that cannot write ends the
 * process, so that it has no errors of its own to send anywhere.
 */
export const flagsWithoutEffect: ReadonlyArray<string> = [
  'karpenter-service',
  'disable-controller-warmup',
  'log-error-output-paths',
]
