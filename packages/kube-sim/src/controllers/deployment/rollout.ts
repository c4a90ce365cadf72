import { resolveIntOrPercent } from '../int-or-percent.ts'
import type { DeploymentObject } from '../objects.ts'

/** How many pods a rolling update may add above the wanted number, and how many may be missing of it. */
export interface RolloutBounds {
  readonly maxSurge: number
  readonly maxUnavailable: number
}

/** One ReplicaSet as the arithmetic of rollouts sees it. */
export interface SetCount {
  readonly name: string
  readonly replicas: number
  readonly available: number
}

/**
 * The bounds of a Deployment: surge rounds up, unavailability down, and they are not both zero.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
export const rolloutBounds = ({ spec }: DeploymentObject): RolloutBounds => {
  const wanted = spec.replicas ?? 1
  const rolling = spec.strategy?.rollingUpdate
  if (spec.strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: wanted }
  const maxSurge = resolveIntOrPercent(rolling?.maxSurge ?? '25%', wanted, 'up')
  const maxUnavailable = resolveIntOrPercent(rolling?.maxUnavailable ?? '25%', wanted, 'down')
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : Math.min(maxUnavailable, wanted) }
}

/** The size that the newest ReplicaSet may have now: as large as the surge allows, never more than wanted. */
export const grownNewSet = (
  wanted: number,
  bounds: RolloutBounds,
  newest: SetCount,
  old: ReadonlyArray<SetCount>,
): number => {
  if (newest.replicas >= wanted) return wanted
  const present = old.reduce((sum, { replicas }) => sum + replicas, newest.replicas)
  const room = wanted + bounds.maxSurge - present
  return room <= 0 ? newest.replicas : newest.replicas + Math.min(room, wanted - newest.replicas)
}

/**
 * The sizes that old ReplicaSets (oldest first) shrink to: unavailable pods first, then available ones, so far as enough
 * pods stay available.
 */
export const shrunkOldSets = (
  wanted: number,
  bounds: RolloutBounds,
  newest: SetCount,
  old: ReadonlyArray<SetCount>,
): ReadonlyArray<SetCount> => {
  const fewestAvailable = wanted - bounds.maxUnavailable
  const present = old.reduce((sum, { replicas }) => sum + replicas, newest.replicas)
  // New pods that are not available yet must not let old ones go.
  let room = present - fewestAvailable - Math.max(newest.replicas - newest.available, 0)
  if (room <= 0) return old
  const cleaned = old.map((set) => {
    const unhealthy = Math.min(room, Math.max(set.replicas - set.available, 0))
    room -= unhealthy
    return { ...set, replicas: set.replicas - unhealthy }
  })
  const available = old.reduce((sum, set) => sum + set.available, newest.available)
  let surplus = available - fewestAvailable
  if (surplus <= 0) return cleaned
  return cleaned.map((set) => {
    const step = Math.min(surplus, set.replicas)
    surplus -= step
    return { ...set, replicas: set.replicas - step }
  })
}

/**
 * Spreads a change of the wanted size over the ReplicaSets of a rollout in progress, in proportion to their sizes.
 *
 * Largest first; the first takes what rounding leaves over.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling
 */
export const proportionalSizes = (sets: ReadonlyArray<SetCount>, allowed: number): ReadonlyMap<string, number> => {
  const present = sets.reduce((sum, { replicas }) => sum + replicas, 0)
  const ordered = [...sets].sort((a, b) => b.replicas - a.replicas || (a.name < b.name ? -1 : 1))
  const change = allowed - present
  let left = change
  const sizes = new Map<string, number>()
  for (const { name, replicas } of ordered) {
    const share = present === 0 ? 0 : Math.round((replicas * change) / present)
    const step = change > 0 ? Math.min(share, left) : Math.max(share, left)
    left -= step
    sizes.set(name, Math.max(replicas + step, 0))
  }
  const first = ordered[0]
  if (first !== undefined && left !== 0) sizes.set(first.name, Math.max((sizes.get(first.name) ?? 0) + left, 0))
  return sizes
}
