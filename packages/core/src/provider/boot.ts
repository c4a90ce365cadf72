import { labelKeys, type Labels } from '../labels/index.ts'
import { Requirement } from '../requirements/index.ts'
import { Taints, type Taint } from '../taints/index.ts'
import type { NodeClaimFacts } from './cluster-facts.ts'

/**
 * The taints with which a kubelet registers its Node: the claim's, its start-up taints, and the unregistered mark.
 *
 * @example
 * bootTaints({ taints: [{ key: 'gpu', effect: 'NoSchedule' }], startupTaints: [] }).map(Taints.render)
 * // => ['gpu:NoSchedule', 'karpenter.sh/unregistered:NoExecute']
 */
export const bootTaints = (claim: Pick<NodeClaimFacts, 'taints' | 'startupTaints'>): ReadonlyArray<Taint> =>
  Taints.merge(Taints.merge(claim.taints, claim.startupTaints), [Taints.unregisteredTaint])

/**
 * The labels with which a kubelet registers its Node: the claim's and its single-valued requirements, under `machine`,
 * the labels of what was launched (`claimLabels`).
 *
 * Without the keys that a kubelet may not set on itself.
 *
 * @example
 * const claim = { labels: { team: 'a' }, requirements: Requirements.fromLabels({ 'example.com/rack': 'r1' }) }
 * bootLabels(claim, { 'kubernetes.io/arch': 'arm64' })
 * // => { team: 'a', 'example.com/rack': 'r1', 'kubernetes.io/arch': 'arm64' }
 */
export const bootLabels = (claim: Pick<NodeClaimFacts, 'labels' | 'requirements'>, machine: Labels): Labels => {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>
  Object.assign(labels, claim.labels)
  for (const requirement of claim.requirements.byKey.values()) {
    const value = Requirement.singleValue(requirement)
    if (value !== undefined) labels[requirement.key] = value
  }
  Object.assign(labels, machine)
  for (const key of Object.keys(labels)) if (!isKubeletLabel(key)) delete labels[key]
  return labels
}

/** Labels that kubelets set on their own Nodes, whatever else they are told to. */
export const kubeletLabelKeys: ReadonlySet<string> = new Set([
  labelKeys.hostname,
  labelKeys.zone,
  labelKeys.region,
  labelKeys.instanceType,
  labelKeys.os,
  labelKeys.arch,
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const kubernetesDomains = ['kubernetes.io', 'k8s.io']
const kubeletDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io']

/**
 * Whether a kubelet may set the label on its own Node.
 *
 * Source: Kubernetes docs, "Admission Control", NodeRestriction.
 */
export const isKubeletLabel = (key: string): boolean => {
  if (kubeletLabelKeys.has(key)) return true
  const slash = key.indexOf('/')
  if (slash < 0) return true
  const domain = key.slice(0, slash)
  const isWithin = (parent: string) => domain === parent || domain.endsWith(`.${parent}`)
  return !kubernetesDomains.some(isWithin) || kubeletDomains.some(isWithin)
}
