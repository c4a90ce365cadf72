import { resource } from '../face.ts'

/** The resources that the controllers read and write. */
export const refs = {
  pods: resource('v1', 'pods'),
  nodes: resource('v1', 'nodes'),
  events: resource('v1', 'events'),
  namespaces: resource('v1', 'namespaces'),
  volumes: resource('v1', 'persistentvolumes'),
  volumeClaims: resource('v1', 'persistentvolumeclaims'),
  deployments: resource('apps/v1', 'deployments'),
  replicaSets: resource('apps/v1', 'replicasets'),
  daemonSets: resource('apps/v1', 'daemonsets'),
  statefulSets: resource('apps/v1', 'statefulsets'),
  jobs: resource('batch/v1', 'jobs'),
  controllerRevisions: resource('apps/v1', 'controllerrevisions'),
  disruptionBudgets: resource('policy/v1', 'poddisruptionbudgets'),
  leases: resource('coordination.k8s.io/v1', 'leases'),
  storageClasses: resource('storage.k8s.io/v1', 'storageclasses'),
} as const
