import type { MetricSpec } from '@scantling/core'

const launchLabels = ['image', 'size', 'zone', 'capacity_type', 'nodepool']

/** Metrics of this provider's own, the first three under the reference's names (Z-VM-15). */
export const launchStarts: MetricSpec = {
  name: 'karpenter_instance_vm_create_start_total',
  type: 'counter',
  help: 'VMs whose creation was begun.',
  labels: launchLabels,
}

export const launchFailures: MetricSpec = {
  name: 'karpenter_instance_vm_create_failure_total',
  type: 'counter',
  help: 'VMs that were not made: refused (sync), or failed after they were accepted (async), by the code of the error.',
  labels: [...launchLabels, 'phase', 'error_code'],
}

export const imageSelectionErrors: MetricSpec = {
  name: 'karpenter_image_selection_error_count',
  type: 'counter',
  help: 'Launches for which the NodeClass had no image that boots.',
  labels: ['family'],
}

/** The reference measures none of its calls (W-26). */
export const requests: MetricSpec = {
  name: 'scantling_azure_requests_total',
  type: 'counter',
  help: 'Requests to Azure, by the action of a role that they need and by their outcome.',
  labels: ['action', 'code'],
}

export const requestSeconds: MetricSpec = {
  name: 'scantling_azure_request_duration_seconds',
  type: 'histogram',
  help: 'How long requests to Azure took, with all their attempts.',
  labels: ['action', 'code'],
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
}

export const azureMetrics: ReadonlyArray<MetricSpec> = [
  launchStarts,
  launchFailures,
  imageSelectionErrors,
  requests,
  requestSeconds,
]
