import type { ClusterFacts, ClusterRead, JsonObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { familyOf, isAtLeast } from '../image/index.ts'
import type { AksNodeClass } from '../node-class/index.ts'

type State = 'Enabled' | 'Disabled'

const readOf = (as: string, apiVersion: string, plural: string, limit: number): ClusterRead => ({
  as,
  apiVersion,
  plural,
  metadataOnly: true,
  limit,
})

/** Policies that the DNS on a node would get around, by kind of network policy; and the DaemonSet that does the same job. */
const policyReads = {
  // One of them may be AKS' own.
  common: [readOf('networkPolicies', 'networking.k8s.io/v1', 'networkpolicies', 2)],
  cilium: [
    readOf('ciliumNetworkPolicies', 'cilium.io/v2', 'ciliumnetworkpolicies', 1),
    readOf('ciliumClusterwideNetworkPolicies', 'cilium.io/v2', 'ciliumclusterwidenetworkpolicies', 1),
  ],
  calico: [
    readOf('calicoNetworkPolicies', 'crd.projectcalico.org/v1', 'networkpolicies', 1),
    readOf('calicoGlobalNetworkPolicies', 'crd.projectcalico.org/v1', 'globalnetworkpolicies', 1),
  ],
} as const

const nodeLocalDnsRead: ClusterRead = {
  as: 'nodeLocalDns',
  apiVersion: 'apps/v1',
  plural: 'daemonsets',
  namespace: 'kube-system',
  name: 'node-local-dns',
  metadataOnly: true,
}

/** What has to be read of the cluster to decide about `Preferred`. */
export const localDnsReads: ReadonlyArray<ClusterRead> = [
  ...policyReads.common,
  ...policyReads.cilium,
  ...policyReads.calico,
  nodeLocalDnsRead,
]

/** Since when `Preferred` turns DNS on. The reference says 1.36 in words and 1.99 in code, so that it never does. */
const preferredSince = '1.36'

/** How soon the cluster is looked at again: nothing says when one of its objects comes or goes. */
export const localDnsRecheckMs = 5 * 60_000

/**
 * Whether nodes of a class serve DNS (Z-DNS-01, Z-DNS-02).
 *
 * `Preferred` depends on the cluster, and stays on once it is on.
 *
 * Errors: Left when the cluster could not be asked (Z-DNS-03).
 */
export const resolveLocalDns = (input: {
  readonly nodeClass: Pick<AksNodeClass, 'spec' | 'status'>
  readonly kubernetesVersion: string
  readonly settings: { readonly networkPlugin: string; readonly networkPolicy: string }
  readonly objects: ClusterFacts['objects']
}): E.Either<string, { readonly state: State; readonly recheckAfterMs?: number }> => {
  const { nodeClass, kubernetesVersion, settings, objects } = input
  switch (nodeClass.spec.localDNS?.mode) {
    case undefined:
    case 'Disabled':
      return E.right({ state: 'Disabled' })
    case 'Required':
      return E.right({ state: 'Enabled' })
    case 'Preferred': {
      if (nodeClass.status.localDNSState === 'Enabled') return E.right({ state: 'Enabled' })
      const couldServe =
        isAtLeast(kubernetesVersion, preferredSince) &&
        settings.networkPlugin.toLowerCase() !== 'none' &&
        // 20.04 has no such service.
        familyOf(nodeClass, kubernetesVersion).name !== 'Ubuntu'
      const conflict = couldServe ? conflictIn(objects, settings.networkPolicy.toLowerCase()) : E.right(true)
      return E.map((isInTheWay: boolean) => ({
        state: (couldServe && !isInTheWay ? 'Enabled' : 'Disabled') as State,
        recheckAfterMs: localDnsRecheckMs,
      }))(conflict)
    }
  }
}

const conflictIn = (objects: ClusterFacts['objects'], networkPolicy: string): E.Either<string, boolean> => {
  const kinds =
    networkPolicy === 'cilium' || networkPolicy === 'calico'
      ? [...policyReads.common, ...policyReads[networkPolicy]]
      : []
  for (const { as } of [...kinds, nodeLocalDnsRead]) {
    const found = Object.hasOwn(objects, as) ? objects[as] : undefined
    if (found === undefined) return E.left(`Cannot tell whether local DNS may be on: ${as} were not read`)
    if (E.isLeft(found)) return E.left(`Cannot tell whether local DNS may be on: ${found.left}`)
    if (found.right.some((object) => !isKonnectivity(object))) return E.right(true)
  }
  return E.right(false)
}

// A policy that AKS itself puts into every cluster.
const isKonnectivity = (object: JsonObject): boolean => {
  const { name, namespace } = (object['metadata'] ?? {}) as JsonObject
  return name === 'konnectivity-agent' && namespace === 'kube-system'
}
