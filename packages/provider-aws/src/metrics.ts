import type { MetricSpec } from '@scantling/core'

/** Metrics of this provider's own, under the reference's names. */
export const launchFailures: MetricSpec = {
  name: 'karpenter_cloudprovider_instance_launch_failures_total',
  type: 'counter',
  help: 'Offerings that EC2 refused in a launch, by reason.',
  labels: ['zone', 'zone_id', 'capacity_type', 'reason'],
}

export const terminationFailures: MetricSpec = {
  name: 'karpenter_cloudprovider_instance_termination_failures_total',
  type: 'counter',
  help: 'Terminations of instances that failed.',
  labels: ['zone', 'zone_id'],
}

export const batchSeconds: MetricSpec = {
  name: 'karpenter_cloudprovider_batcher_batch_time_seconds',
  type: 'histogram',
  help: 'How long batches of requests to EC2 waited for company.',
  labels: ['batcher'],
  buckets: [0.035, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 1.5, 2],
}

export const batchSize: MetricSpec = {
  name: 'karpenter_cloudprovider_batcher_batch_size',
  type: 'histogram',
  help: 'How many requests to EC2 shared a batch.',
  labels: ['batcher'],
  buckets: [1, 2, 4, 5, 10, 15, 20, 25, 50, 100, 250, 500, 1000],
}

export const userDataBytes: MetricSpec = {
  name: 'karpenter_ec2nodeclasses_userdata_bytes',
  type: 'gauge',
  help: 'Size of the user data that nodes of an EC2NodeClass get.',
  labels: ['nodeclass'],
}

export const unhealthyInstances: MetricSpec = {
  name: 'karpenter_interruption_instance_status_unhealthy_total',
  type: 'counter',
  help: 'Instances that began to fail a status check or to have maintenance ahead.',
  labels: ['category'],
}

/** The reference takes these two from its SDK; their names are what dashboards know. */
export const requests: MetricSpec = {
  name: 'aws_sdk_go_request_total',
  type: 'counter',
  help: 'Requests to AWS, by their outcome.',
  labels: ['service', 'operation', 'code'],
}

export const requestSeconds: MetricSpec = {
  name: 'aws_sdk_go_request_duration_seconds',
  type: 'histogram',
  help: 'How long requests to AWS took, with all their attempts.',
  labels: ['service', 'operation', 'code'],
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
}

export const awsMetrics: ReadonlyArray<MetricSpec> = [
  launchFailures,
  terminationFailures,
  batchSeconds,
  batchSize,
  userDataBytes,
  unhealthyInstances,
  requests,
  requestSeconds,
]
