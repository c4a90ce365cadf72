/** Gauges of what there is: nodes, pods, instance types, conditions. */
export { runClusterMetrics } from './cluster-metrics.ts'
export { startConditionMetrics } from './condition-metrics.ts'
export { runInstanceTypeMetrics } from './instance-type-metrics.ts'
export { startNodeMetrics } from './node-metrics.ts'
export { tellOfPass } from './pass-metrics.ts'
export { startPodMetrics } from './pod-metrics.ts'
export { followPods } from './pod-times.ts'
