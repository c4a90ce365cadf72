import {
  Conditions,
  planDisruption,
  podKey,
  renderBlocked,
  renderRejection,
  type BlockedReason,
  type DisruptionPlan,
  type Snapshot,
  type StateNode,
} from '@scantling/core'
import type { ManifestPlan } from '../plan/plan-manifests.ts'
import { renderCommand } from '../plan/render-disruption.ts'
import { remedyOf } from './remedies.ts'

/** Why something is as it is. */
export interface Explanation {
  readonly kind: 'node' | 'pod' | 'nodeclaim'
  readonly name: string
  /** `goes`: the next pass would take it away. `waits`: it is not where it should be. `stays`: neither. */
  readonly verdict: 'stays' | 'goes' | 'waits'
  /** One sentence. */
  readonly because: string
  /** What would have to change. */
  readonly remedy?: string
  /** The reason as data, where a planner gave one. */
  readonly reason?: BlockedReason
}

export type Subject = { readonly kind: Explanation['kind']; readonly name: string }

/** Explains one object of a snapshot; `undefined` where there is none of that name. */
export const explain = (subject: Subject, plan: ManifestPlan): Explanation | undefined => {
  switch (subject.kind) {
    case 'node':
      return explainNode(subject.name, plan.snapshot)
    case 'pod':
      return explainPod(subject.name, plan)
    case 'nodeclaim':
      return explainClaim(subject.name, plan.snapshot)
  }
}

/** Names of that kind, for people who mistyped one. */
export const namesOf = (kind: Subject['kind'], { snapshot }: ManifestPlan): ReadonlyArray<string> => {
  if (kind === 'node') return snapshot.nodes.map(({ name }) => name)
  if (kind === 'nodeclaim') return snapshot.nodes.flatMap(({ claim }) => (claim === undefined ? [] : [claim.name]))
  return [...snapshot.pods, ...snapshot.nodes.flatMap(({ pods }) => pods)].map(podKey)
}

const explainNode = (wanted: string, snapshot: Snapshot): Explanation | undefined => {
  const node = nodeNamed(wanted, snapshot)
  if (node === undefined) return undefined
  const { name } = node
  const plan = planDisruption(snapshot, { strategy: 'first-fit' })
  return { kind: 'node', name, ...verdictOn(name, plan) }
}

// The part before the first dot will do, as `scantling top` shows it.
const nodeNamed = (wanted: string, { nodes }: Snapshot): StateNode | undefined =>
  nodes.find(({ name }) => name === wanted) ?? nodes.find(({ name }) => name.split('.')[0] === wanted)

const verdictOn = (
  name: string,
  plan: DisruptionPlan,
): Pick<Explanation, 'verdict' | 'because'> & Partial<Explanation> => {
  const command = plan.commands.find(({ candidates }) => candidates.some(({ node }) => node === name))
  if (command !== undefined) return { verdict: 'goes', because: renderCommand(command) }
  const reason = plan.blocked.find(({ node }) => node === name)?.reason
  if (reason === undefined)
    return { verdict: 'stays', because: 'Nothing speaks for taking it away: it is as its NodePool wants it' }
  const remedy = remedyOf(reason)
  return { verdict: 'stays', because: renderBlocked(reason), ...(remedy !== undefined && { remedy }), reason }
}

const explainClaim = (name: string, snapshot: Snapshot): Explanation | undefined => {
  const node = snapshot.nodes.find(({ claim }) => claim?.name === name)
  if (node === undefined) return undefined
  const waiting = waitOf(node)
  if (waiting !== undefined) return { kind: 'nodeclaim', name, verdict: 'waits', because: waiting }
  const found = explainNode(node.name, snapshot)
  return found && { ...found, kind: 'nodeclaim', name }
}

const steps = ['Launched', 'Registered', 'Initialized'] as const

const waitOf = ({ claim }: StateNode): string | undefined => {
  if (claim === undefined) return undefined
  if (claim.deletionTimestampMs !== undefined) return 'It is being deleted: its node is drained, then its machine ended'
  const missing = steps.find((type) => !Conditions.isTrue(claim.conditions, type))
  if (missing === undefined) return undefined
  const condition = Conditions.find(claim.conditions, missing)
  const why = condition?.message || condition?.reason || 'nothing was said of it yet'
  return `It is not ${missing} yet: ${why}`
}

const explainPod = (wanted: string, { snapshot, plan }: ManifestPlan): Explanation | undefined => {
  const name = wanted.includes('/') ? wanted : `default/${wanted}`
  const home = snapshot.nodes.find(({ pods }) => pods.some((pod) => podKey(pod) === name))
  if (home !== undefined) return { kind: 'pod', name, verdict: 'stays', because: `It is on node ${home.name}` }
  const rejection = plan.rejections.find(({ pod }) => podKey(pod) === name)
  if (rejection !== undefined) return { kind: 'pod', name, verdict: 'waits', because: renderRejection(rejection) }
  const placement = plan.placements.find(({ pods }) => pods.some((pod) => podKey(pod) === name))
  if (placement !== undefined)
    return { kind: 'pod', name, verdict: 'waits', because: `There is room for it on node ${placement.node}` }
  const launch = plan.launches.find(({ pods }) => pods.some((pod) => podKey(pod) === name))
  if (launch !== undefined)
    return {
      kind: 'pod',
      name,
      verdict: 'waits',
      because: `A machine of NodePool ${launch.nodePool} would be launched for it: ${launch.instanceTypes[0]?.name ?? 'one that fits'}`,
    }
  return undefined
}
