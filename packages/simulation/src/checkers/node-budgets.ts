import { isTrue, conditionOf, type Seen } from '../cluster/index.ts'
import { findings, nodePoolOf, type Checker, type World } from './checker.ts'

// A decision is made on what was there a moment before it shows.
const windowMs = 10 * 60_000

/** A NodePool's budget is never overdrawn by what is disrupted of the controller's own accord. */
export const nodeBudgetsKept = (): Checker => {
  const { note, violations } = findings()
  const sizes = new Map<string, Array<{ readonly atMs: number; readonly nodes: number }>>()
  const sizeOf = (pool: string, world: World): number => {
    const nodes = [...world.nodes()].filter((node) => nodePoolOf(node) === pool).length
    const known = (sizes.get(pool) ?? []).filter(({ atMs }) => atMs >= world.nowMs() - windowMs)
    sizes.set(pool, [...known, { atMs: world.nowMs(), nodes }])
    return Math.max(nodes, ...known.map((one) => one.nodes))
  }
  return {
    name: 'node budgets kept',
    onLook: (world) => {
      for (const pool of world.pools()) sizeOf(pool.metadata.name, world)
    },
    onChange: ({ plural, type, object, before }, world) => {
      if (plural !== 'nodeclaims' || type === 'DELETED') return
      if (!isTrue(object, 'DisruptionReason') || isTrue(before, 'DisruptionReason')) return
      const name = nodePoolOf(object)
      const pool = [...world.pools()].find(({ metadata }) => metadata.name === name)
      if (pool === undefined) return
      const reason = conditionOf(object, 'DisruptionReason')?.reason ?? ''
      const allowed = allowedBy(pool, reason, sizeOf(name, world))
      const going = [...world.claims()].filter(
        (claim) => nodePoolOf(claim) === name && isTrue(claim, 'DisruptionReason'),
      )
      if (going.length > allowed)
        note(
          `NodePool ${name} allows ${allowed} disruptions (${reason}), and ${going.length} are under way: ${going.map(({ metadata }) => metadata.name).join(', ')}`,
        )
    },
    violations,
  }
}

/** What the budgets without a schedule allow; those with one only ever allow less. */
const allowedBy = ({ spec }: Seen, reason: string, nodes: number): number => {
  const budgets = spec.disruption?.budgets ?? [{ nodes: '10%' }]
  const allowances = budgets
    .filter((budget) => budget.schedule === undefined && (budget.reasons?.includes(reason) ?? true))
    .map((budget) =>
      budget.nodes.endsWith('%') ? Math.ceil((nodes * Number(budget.nodes.slice(0, -1))) / 100) : Number(budget.nodes),
    )
  return Math.min(Infinity, ...allowances)
}
