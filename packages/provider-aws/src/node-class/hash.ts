import type { ClusterFacts, Json } from '@scantling/core'
import { canonical, fingerprint } from '@scantling/provider-kit'
import type { Ec2NodeClass } from './spec.ts'
import { familyOf } from './family.ts'

/** Never one of the reference's: a claim that it stamped is adopted, and not compared. */
export const hashVersion = 'scantling-v1'

// What is found by selectors is compared by what it resolves to; prefixes do not concern machines that run.
const notHashed: ReadonlySet<string> = new Set([
  'subnetSelectorTerms',
  'securityGroupSelectorTerms',
  'capacityReservationSelectorTerms',
  'amiSelectorTerms',
  'amiFamily',
  'ipPrefixCount',
  'kubelet',
])

/**
 * A text that changes when machines of the class would have to be replaced.
 *
 * Of the spec as it is given, without what selectors find (that drift shows otherwise), the family that it comes to,
 * the cluster's certificate, and the kubelet configuration as a whole. The order of lists does not count, nor does it
 * matter whether a field is absent or empty.
 *
 * Source: Karpenter A-DRF-01; SHA-256 over canonical JSON instead of a structure hash.
 */
export const hashOf = ({ spec }: Ec2NodeClass, cluster: Pick<ClusterFacts, 'caBundle'>): string => {
  const hashed = Object.fromEntries(Object.entries(spec).filter(([field]) => !notHashed.has(field)))
  return fingerprint([
    normal(hashed as Json) ?? {},
    familyOf(spec),
    cluster.caBundle ?? '',
    canonicalKubelet(spec.kubelet),
  ])
}

/** The kubelet configuration as text, the same for equal content; `null` where nothing is set (A-KUB-10). */
export const canonicalKubelet = (kubelet: Ec2NodeClass['spec']['kubelet']): string =>
  kubelet === undefined || Object.keys(kubelet).length === 0 ? 'null' : canonical(kubelet as Json)

// Lists in one order, empty values gone.
const normal = (value: Json): Json | undefined => {
  if (value === null || value === '' || value === 0 || value === false) return undefined
  if (Array.isArray(value)) {
    const items = (value as ReadonlyArray<Json>).flatMap((item) => normal(item) ?? [])
    return items.length === 0 ? undefined : items.sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1))
  }
  if (typeof value !== 'object') return value
  const entries = Object.entries(value).flatMap(([key, item]) => {
    const kept = normal(item as Json)
    return kept === undefined ? [] : [[key, kept] as const]
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}
