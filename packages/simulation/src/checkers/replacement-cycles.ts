import { conditionOf, isTrue, type Seen } from '../cluster/index.ts'
import { findings, type Checker, type World } from './checker.ts'

/** Counts how often the fleet came back to what it had left. */
export interface CycleChecker extends Checker {
  readonly cycles: () => number
}

const byConsolidation = new Set(['Empty', 'Underutilized'])

/**
 * No replacement cycle: while nobody asks for anything else, the fleet never returns to a composition that it left.
 *
 * The composition is how many machines of which type, zone and capacity type there are at a moment when nothing is under
 * way. A change of demand or a meddling of the outside world begins a new count, and so does a disruption for another
 * reason than price: drift and expiry replace alike by alike.
 */
export const noReplacementCycle = (): CycleChecker => {
  const { note, violations } = findings()
  let demand = ''
  let isDirty = true
  let others = 0
  let past: Array<string> = []
  let cycles = 0
  return {
    name: 'no replacement cycle',
    onChange: ({ plural, object, before, type }) => {
      if (plural === 'nodeclaims' || (plural === 'nodes' && type !== 'MODIFIED')) isDirty = true
      if (plural !== 'nodeclaims' || object.metadata.deletionTimestamp === undefined) return
      if (before?.metadata.deletionTimestamp !== undefined) return
      if (!byConsolidation.has(conditionOf(object, 'DisruptionReason')?.reason ?? '')) others += 1
    },
    onLook: (world) => {
      const nowDemanded = `${demandOf(world)} ${world.disturbances()} ${others}`
      if (nowDemanded !== demand) {
        demand = nowDemanded
        past = []
        isDirty = true
      }
      if (!isDirty || !isQuiet(world)) return
      isDirty = false
      const composition = compositionOf(world)
      if (composition === past.at(-1)) return
      if (past.includes(composition)) {
        cycles += 1
        note(`The fleet is what it was before, under the same demand: ${composition}; between: ${past.at(-1)}`)
      }
      past.push(composition)
    },
    violations,
    cycles: () => cycles,
  }
}

const demandOf = (world: World): string =>
  [...world.deployments()].map(({ metadata, spec }) => `${metadata.name}=${spec.replicas}`).join(' ')

const isQuiet = (world: World): boolean => {
  for (const claim of world.claims())
    if (claim.metadata.deletionTimestamp !== undefined || !isTrue(claim, 'Initialized')) return false
  for (const pod of world.pods()) if (pod.spec.nodeName === undefined) return false
  return true
}

const compositionOf = (world: World): string => {
  const counts = new Map<string, number>()
  for (const { metadata } of world.nodes() as Iterable<Seen>) {
    const label = (key: string) => metadata.labels?.[key] ?? '?'
    const key = `${label('node.kubernetes.io/instance-type')} ${label('karpenter.sh/capacity-type')} ${label('topology.kubernetes.io/zone')}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, count]) => `${count} × ${key}`)
    .join(', ')
}
