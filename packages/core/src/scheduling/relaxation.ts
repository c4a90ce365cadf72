import type { PodConstraints } from '../cluster/index.ts'
import { compareNumber } from '../internal/index.ts'
import type { Toleration } from '../taints/index.ts'

/** Weighted preferences, heaviest first and otherwise as written. */
export const heaviestFirst = <A extends { readonly weight: number }>(preferences: ReadonlyArray<A>): ReadonlyArray<A> =>
  [...preferences].sort((a, b) => compareNumber(b.weight, a.weight))

const toleratesPreferences: Toleration = { operator: 'Exists', effect: 'PreferNoSchedule' }

/**
 * The constraints after one step of relaxation, or `undefined` when there is nothing left to give up.
 *
 * The first step that applies is taken, in this order (P-PRF-01): the first of several required node-affinity terms;
 * the heaviest preferred pod affinity; the heaviest preferred pod anti-affinity; the heaviest preferred node affinity;
 * the first ScheduleAnyway spread, whose place the last one takes; and, where some NodePool has PreferNoSchedule
 * taints, a toleration for them.
 */
export const relaxed = (
  constraints: PodConstraints,
  { hasPreferNoSchedule }: { readonly hasPreferNoSchedule: boolean },
): PodConstraints | undefined => {
  const { requiredNodeTerms, podAffinity, podAntiAffinity, preferredNodeTerms, topologySpread, tolerations } =
    constraints
  if (requiredNodeTerms.length > 1) return { ...constraints, requiredNodeTerms: requiredNodeTerms.slice(1) }
  if (podAffinity.preferred.length > 0) {
    return { ...constraints, podAffinity: { ...podAffinity, preferred: heaviestFirst(podAffinity.preferred).slice(1) } }
  }
  if (podAntiAffinity.preferred.length > 0) {
    const preferred = heaviestFirst(podAntiAffinity.preferred).slice(1)
    return { ...constraints, podAntiAffinity: { ...podAntiAffinity, preferred } }
  }
  if (preferredNodeTerms.length > 0) {
    return { ...constraints, preferredNodeTerms: heaviestFirst(preferredNodeTerms).slice(1) }
  }
  const soft = topologySpread.findIndex(({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway')
  if (soft >= 0) {
    const last = topologySpread.length - 1
    const swapped = topologySpread.map((constraint, index) => (index === soft ? topologySpread[last]! : constraint))
    return { ...constraints, topologySpread: swapped.slice(0, last) }
  }
  return hasPreferNoSchedule && !tolerations.some(isPreferenceToleration)
    ? { ...constraints, tolerations: [...tolerations, toleratesPreferences] }
    : undefined
}

/** The constraints with the toleration for PreferNoSchedule that daemons always have (P-DMN-03). */
export const toleratingPreferences = (tolerations: ReadonlyArray<Toleration>): ReadonlyArray<Toleration> =>
  tolerations.some(isPreferenceToleration) ? tolerations : [...tolerations, toleratesPreferences]

const isPreferenceToleration = ({ key = '', operator, value = '', effect }: Toleration): boolean =>
  key === '' && operator === 'Exists' && value === '' && effect === 'PreferNoSchedule'
