/** Feature gates with the reference's names. */
export interface FeatureGates {
  readonly nodeRepair: boolean
  readonly reservedCapacity: boolean
  readonly spotToSpotConsolidation: boolean
  readonly nodeOverlay: boolean
  readonly staticCapacity: boolean
  readonly capacityBuffer: boolean
}

/** The controller's settings, decoded from flags and environment. */
export interface Settings {
  readonly provider: string
  readonly clusterName: string
  readonly clusterEndpoint?: string
  readonly clusterCaBundle?: string
  /** `--server URL`: plain connection without credentials, for the embedded cluster. */
  readonly server?: string
  readonly kubeconfig?: string
  readonly metricsPort: number
  readonly healthProbePort: number
  /** The address that metrics and probes listen on; `127.0.0.1` for the embedded cluster. */
  readonly bindAddress: string
  readonly kubeClientQps: number
  readonly kubeClientBurst: number
  readonly enableProfiling: boolean
  readonly leaderElect: boolean
  readonly leaderElectionName: string
  readonly leaderElectionNamespace: string
  readonly memoryLimitBytes?: number
  readonly cpuRequestsMilli: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly batchMaxDurationMs: number
  readonly batchIdleDurationMs: number
  readonly preferencePolicy: 'Respect' | 'Ignore'
  readonly minValuesPolicy: 'Strict' | 'BestEffort'
  readonly ignoreDraRequests: boolean
  readonly featureGates: FeatureGates
  /** Seeds everything random in the controller: jitter, tie-breaks. */
  readonly seed: number
}
