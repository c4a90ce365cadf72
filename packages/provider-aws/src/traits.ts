import type { RepairPolicy, Traits } from '@scantling/core'
import { visibilityLagMs } from './instances/index.ts'

const minuteMs = 60_000

/** Conditions of EKS's node monitoring beside the kubelet's own (A-REP-01). */
const repair: ReadonlyArray<RepairPolicy> = [
  { conditionType: 'Ready', status: 'False', tolerationMs: 30 * minuteMs },
  { conditionType: 'Ready', status: 'Unknown', tolerationMs: 30 * minuteMs },
  { conditionType: 'AcceleratedHardwareReady', status: 'False', tolerationMs: 10 * minuteMs },
  { conditionType: 'StorageReady', status: 'False', tolerationMs: 30 * minuteMs },
  { conditionType: 'NetworkingReady', status: 'False', tolerationMs: 30 * minuteMs },
  { conditionType: 'KernelReady', status: 'False', tolerationMs: 30 * minuteMs },
  { conditionType: 'ContainerRuntimeReady', status: 'False', tolerationMs: 30 * minuteMs },
]

export const awsTraits: Traits = {
  repair,
  orphanAfterMs: 30_000,
  listLagMs: visibilityLagMs,
  supportedKubernetes: { min: '1.26', max: '1.36' },
}
