import type { Labels, Taint } from '@scantling/core'
import type { KubeletFields, KubeletSettings } from '../kubelet/index.ts'
import type { Ec2NodeClassSpec } from '../node-class/index.ts'

/** What user data is made from, whatever the image family. */
export interface BootstrapInput {
  readonly clusterName: string
  readonly clusterEndpoint: string
  /** Base64. */
  readonly caBundle?: string
  /** Range of the cluster's service addresses; AL2023 needs it. */
  readonly clusterCidr?: string
  /** Settings with figures for the type in place of expressions. */
  readonly kubelet: ResolvedKubelet
  /** All taints that the kubelet registers with. */
  readonly taints: ReadonlyArray<Taint>
  readonly labels: Labels
  /** What the NodeClass says. */
  readonly userData?: string
  readonly instanceStorePolicy?: Ec2NodeClassSpec['instanceStorePolicy']
}

/** Kubelet settings without expressions. */
export interface ResolvedKubelet {
  readonly settings: Omit<KubeletSettings, 'maxPods'> & { readonly maxPods?: number }
  /** All fields as they are to reach nodes that take any. */
  readonly fields: KubeletFields
}

/**
 * The kubelet configuration of a node: what the NodeClass says, with the figures for its type, and the cluster's DNS
 * where it names none (A-UD-04, A-UD-05).
 *
 * Reserved amounts replace those of the NodeClass, where it has any.
 */
export const resolveKubelet = (
  given: { readonly settings: KubeletSettings; readonly fields?: KubeletFields },
  type: {
    readonly pods: number
    readonly kubeReserved: Readonly<Record<string, string>>
    readonly systemReserved: Readonly<Record<string, string>>
  },
  dnsServiceIp: string | undefined,
): ResolvedKubelet => {
  const { settings, fields = {} } = given
  const isConcrete = typeof settings.maxPods === 'number'
  const replaced = {
    maxPods: isConcrete ? (settings.maxPods as number) : type.pods,
    ...((settings.clusterDNS ?? []).length === 0 && dnsServiceIp !== undefined && { clusterDNS: [dnsServiceIp] }),
    ...(settings.kubeReserved !== undefined && { kubeReserved: type.kubeReserved }),
    ...(settings.systemReserved !== undefined && { systemReserved: type.systemReserved }),
  }
  return { settings: { ...settings, ...replaced }, fields: { ...fields, ...replaced } }
}
