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

/** An object as these tests read it. */
export interface Seen {
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly finalizers?: ReadonlyArray<string>
    readonly deletionTimestamp?: string
    readonly resourceVersion: string
    readonly ownerReferences?: ReadonlyArray<{ readonly kind: string; readonly name: string }>
  }
  readonly spec: {
    readonly nodeName?: string
    readonly providerID?: string
    readonly taints?: ReadonlyArray<{ readonly key: string; readonly effect: string }>
  }
  readonly status: {
    readonly phase?: string
    readonly providerID?: string
    readonly lastPodEventTime?: string
    readonly nodes?: number
    readonly resources?: Readonly<Record<string, string>>
    readonly conditions?: ReadonlyArray<{
      readonly type: string
      readonly status: string
      readonly reason: string
      readonly message: string
    }>
  }
}
