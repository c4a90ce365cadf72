import type { RepairPolicy, Traits } from '@scantling/core'

const minuteMs = 60_000

/**
 * Conditions of AKS' node problem detector beside the kubelet's own (Z-CP-15).
 *
 * `PreemptionScheduled` announces that a spot machine will be taken, and says by when. `VMEventScheduled` announces
 * reboots, moves to other hosts and the like, after which the machine goes on, without what was on it: a NodePool says
 * whether its nodes are replaced before.
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
  {
    conditionType: 'VMEventScheduled',
    status: 'True',
    tolerationMs: 0,
    isAdvice: true,
    // A VM that freezes for some seconds goes on where it was.
    deadlineMs: ({ message, lastTransitionAtMs }) =>
      /\bfreeze\b/i.test(message) ? undefined : (deadlineIn(message) ?? lastTransitionAtMs + scheduledNoticeMs),
  },
]

/** Reboots and the like are announced at least this long ahead. Source: https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events */
const scheduledNoticeMs = 10 * minuteMs

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
