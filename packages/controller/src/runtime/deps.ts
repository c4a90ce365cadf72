import type {
  CancelSignal,
  CloudProvider,
  ClusterFacts,
  Findings,
  NodeClassObject,
  ProviderModule,
  Snapshot,
} from '@scantling/core'
import type { Clock } from '@scantling/provider-kit'
import type { Caches } from '../cache/index.ts'
import type { EventRecorder } from '../events/index.ts'
import type { KubeClient } from '../kube/index.ts'
import type { Log, Metrics } from '../observability/index.ts'
import type { Settings } from '../settings/index.ts'
import type { MemoryPressure } from './memory-pressure.ts'

/** What a reconciler may touch; `startReconcilers` receives it once the caches are synced and this replica leads. */
export interface ControllerDeps {
  readonly clock: Clock
  /** Monotonic wall-clock milliseconds, for measuring work; see `steadyNowMs`. */
  readonly steadyNowMs: () => number
  /** Seeded; uniform in [0, 1). */
  readonly random: () => number
  readonly kube: KubeClient
  readonly caches: Caches
  readonly provider: CloudProvider<NodeClassObject>
  readonly providerModule: ProviderModule<NodeClassObject>
  readonly settings: Settings
  readonly events: EventRecorder
  readonly metrics: Metrics
  readonly log: Log
  /** Whether memory is short. Absent: it never is. */
  readonly memory?: MemoryPressure
  /** The facts of the cluster that providers are called with, as last observed. */
  readonly clusterFacts: () => ClusterFacts
  /** Tasks of the provider that run on every replica, and so already do. Absent: whoever reconciles runs them, too. */
  readonly everyReplica?: EveryReplicaTasks
  /** Aborts when the process is asked to stop: begin nothing new, finish what is in flight. */
  readonly shutdown: CancelSignal
}

/** The provider's tasks that run whether this replica leads or not. */
export interface EveryReplicaTasks {
  /** Who takes in what the tasks find from now on; nobody does before this replica leads. */
  readonly listen: (onFindings: (findings: Findings) => Promise<void>) => void
}

/** What `startReconcilers` returns. */
export interface RunningReconcilers {
  /** Tasks of the provider that nothing is called before, while they have not succeeded. */
  readonly waiting?: () => ReadonlyArray<string>
  /** Resolves when every pass in flight has ended. */
  readonly stopped: () => Promise<void>
  /** What planners would read now; `undefined` while there is nothing to plan from. */
  readonly takeSnapshot?: () => Promise<Snapshot | undefined>
}
