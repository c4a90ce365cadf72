import type { RepairPolicy, Traits } from '@scantling/core'

const minuteMs = 60_000

/**
 * Conditions of AKS' node problem detector beside the kubelet's own (Z-CP-15).
 *
 * `PreemptionScheduled` announces that a spot machine will be taken, and says by when.
 */
const repair: ReadonlyArray<RepairPolicy> = [
  { conditionType: 'Ready', status: 'False', tolerationMs: 10 * minuteMs },
  { conditionType: 'Ready', status: 'Unknown', tolerationMs: 10 * minuteMs },
  { conditionType: 'kubernetes.azure.com/NodeHealthy', status: 'False', tolerationMs: 0 },
  {
    conditionType: 'PreemptionScheduled',
    status: 'True',
    tolerationMs: 0,
    deadlineMs: ({ message, lastTransitionAtMs }) => deadlineIn(message) ?? lastTransitionAtMs + shortestNoticeMs,
  },
]

/** Azure announces an eviction at least this long ahead, where it announces it. */
const shortestNoticeMs = 30_000

/** The time that a message names: `NotBefore`, as the metadata service writes it, or in the form of RFC 3339. */
const deadlineIn = (message: string): number | undefined => {
  const [text] =
    /[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/.exec(
      message,
    ) ?? []
  const atMs = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(atMs) ? undefined : atMs
}

export const azureTraits: Traits = {
  repair,
  supportedKubernetes: { min: '1.28', max: '1.36' },
}
