import {
  decodeCapacityBuffer,
  decodeDeployment,
  decodeNodeOverlay,
  decodeReplicaSet,
  decodeReplicationController,
  decodeService,
  decodeStatefulSet,
  decodeStoredPodTemplate,
} from '@scantling/core'
import { kindOf } from './kinds.ts'

/** Kinds that are read only where a feature that needs them is on: their definitions may not be installed. */
export const featureKinds = {
  nodeOverlays: kindOf('karpenter.sh/v1alpha1', 'NodeOverlay', 'nodeoverlays', false, decodeNodeOverlay),
  capacityBuffers: kindOf(
    'autoscaling.x-k8s.io/v1beta1',
    'CapacityBuffer',
    'capacitybuffers',
    true,
    decodeCapacityBuffer,
  ),
  podTemplates: kindOf('v1', 'PodTemplate', 'podtemplates', true, decodeStoredPodTemplate),
  services: kindOf('v1', 'Service', 'services', true, decodeService),
  deployments: kindOf('apps/v1', 'Deployment', 'deployments', true, decodeDeployment),
  replicaSets: kindOf('apps/v1', 'ReplicaSet', 'replicasets', true, decodeReplicaSet),
  statefulSets: kindOf('apps/v1', 'StatefulSet', 'statefulsets', true, decodeStatefulSet),
  replicationControllers: kindOf(
    'v1',
    'ReplicationController',
    'replicationcontrollers',
    true,
    decodeReplicationController,
  ),
} as const
