import type { RequirementSpec } from '../requirements/index.ts'

/** The storage objects that decide where a pod with volumes may run. Keys: `namespace/name` for claims, else the name. */
export interface Volumes {
  readonly claims: ReadonlyMap<string, VolumeClaim>
  readonly persistentVolumes: ReadonlyMap<string, PersistentVolume>
  readonly storageClasses: ReadonlyMap<string, StorageClass>
}

/** A PersistentVolumeClaim. */
export interface VolumeClaim {
  readonly namespace: string
  readonly name: string
  readonly phase?: 'Pending' | 'Bound' | 'Lost'
  readonly isDeleting: boolean
  /** Set once a volume is chosen. */
  readonly volumeName?: string
  /** Whether the binding is complete (annotation `pv.kubernetes.io/bind-completed`). */
  readonly isBindCompleted: boolean
  /** Absent: the cluster's default was not filled in. Empty text: explicitly none. */
  readonly storageClassName?: string
}

export interface PersistentVolume {
  readonly name: string
  readonly isDeleting: boolean
  /** The CSI driver, in-tree sources translated where known (P-VLM-03). */
  readonly driver?: string
  /** Local and HostPath volumes: their hostname expressions are dropped (P-VTP-02). */
  readonly isNodeLocal: boolean
  /** Node affinity: alternatives of expressions that hold together; matchFields-only terms left out. */
  readonly nodeTerms: ReadonlyArray<ReadonlyArray<RequirementSpec>>
}

export interface StorageClass {
  readonly name: string
  readonly provisioner: string
  readonly volumeBindingMode: 'Immediate' | 'WaitForFirstConsumer'
  /** Alternatives, each a conjunction of `key In values`. */
  readonly allowedTopologies: ReadonlyArray<ReadonlyArray<RequirementSpec>>
}
