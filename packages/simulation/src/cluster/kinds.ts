import { resource } from '@scantling/kube-sim'

/** The kinds that a simulation reads and writes. */
export const kinds = {
  pods: resource('v1', 'pods'),
  nodes: resource('v1', 'nodes'),
  events: resource('v1', 'events'),
  deployments: resource('apps/v1', 'deployments'),
  budgets: resource('policy/v1', 'poddisruptionbudgets'),
  nodePools: resource('karpenter.sh/v1', 'nodepools'),
  nodeClaims: resource('karpenter.sh/v1', 'nodeclaims'),
  overlays: resource('karpenter.sh/v1alpha1', 'nodeoverlays'),
  buffers: resource('autoscaling.x-k8s.io/v1beta1', 'capacitybuffers'),
  podTemplates: resource('v1', 'podtemplates'),
  services: resource('v1', 'services'),
  nodeClasses: resource('karpenter.kwok.sh/v1alpha1', 'kwoknodeclasses'),
} as const

/** An object as simulations read it: what any kind of theirs may have. */
export interface Seen {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly creationTimestamp: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly finalizers?: ReadonlyArray<string>
    readonly deletionTimestamp?: string
    readonly resourceVersion: string
    readonly ownerReferences?: ReadonlyArray<{ readonly kind: string; readonly name: string; readonly uid: string }>
  }
  readonly spec: {
    readonly nodeName?: string
    readonly providerID?: string
    readonly replicas?: number
    readonly limits?: Readonly<Record<string, string>>
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> }
    readonly disruption?: {
      readonly budgets?: ReadonlyArray<{
        readonly nodes: string
        readonly reasons?: ReadonlyArray<string>
        readonly schedule?: string
      }>
    }
    readonly taints?: ReadonlyArray<{ readonly key: string; readonly effect: string }>
  }
  readonly status: {
    readonly phase?: string
    readonly providerID?: string
    readonly imageID?: string
    readonly lastPodEventTime?: string
    readonly nodes?: number
    readonly capacity?: Readonly<Record<string, string>>
    readonly resources?: Readonly<Record<string, string>>
    readonly conditions?: ReadonlyArray<{
      readonly type: string
      readonly status: string
      readonly reason: string
      readonly message: string
      readonly lastTransitionTime?: string
    }>
  }
}

/** An Event of core/v1. */
export interface SeenEvent {
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly involvedObject: { readonly kind: string; readonly name: string }
  /** How often it was told; absent: once. */
  readonly count?: number
}

/** The condition of this type, where the object states one. */
export const conditionOf = (object: Seen | undefined, type: string) =>
  object?.status?.conditions?.find((condition) => condition.type === type)

export const isTrue = (object: Seen | undefined, type: string): boolean => conditionOf(object, type)?.status === 'True'
