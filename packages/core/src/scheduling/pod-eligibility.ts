import * as E from 'fp-ts/lib/Either.js'

import { Pods, type Pod, type PodDisruptionBudget, type Snapshot } from '../cluster/index.ts'
import { labelKeys, Labels, type LabelKnowledge, type Selector } from '../labels/index.ts'
import { Requirement, Requirements, type RequirementSpec } from '../requirements/index.ts'
import type { PodReason, RequirementProblem } from './rejection.ts'
import { heaviestFirst } from './relaxation.ts'
import { volumeClaimProblems } from './volume-topology.ts'

/**
 * Whether the pod waits for a node that provisioning should bring (P-ELG-01).
 *
 * @example
 * import { pendingPod } from '@scantling/core/testing'
 * isProvisionable(pendingPod('web-0')) // => true
 * isProvisionable(pendingPod('web-0', {}, {}, { nodeName: 'node-1' })) // => false
 */
export const isProvisionable = (pod: Pod): boolean =>
  pod.isUnschedulable &&
  pod.nodeName === undefined &&
  pod.nominatedNodeName === undefined &&
  !Pods.isOwnedByDaemonSet(pod) &&
  !Pods.isOwnedByNode(pod)

/** The pods that a pass places: those that wait, and those that nodes under deletion will let go of (P-PRV-03). */
export interface EligiblePods {
  readonly pods: ReadonlyArray<Pod>
  readonly ignored: ReadonlyArray<{ readonly pod: Pod; readonly reasons: readonly [PodReason, ...Array<PodReason>] }>
}

/** Pods that are looked at between two pauses. */
const podsPerStep = 1000

/**
 * Sorts the snapshot's pods into those to place and those refused before scheduling.
 *
 * Pods of deleting nodes are not checked (P-ELG-08). A generator, so that a caller can pause.
 */
export function* eligiblePods(snapshot: Snapshot): Generator<void, EligiblePods, void> {
  const pods: Array<Pod> = []
  const ignored: Array<EligiblePods['ignored'][number]> = []
  const verdicts = new Map<object, ReadonlyArray<PodReason>>()
  for (const [position, pod] of snapshot.pods.entries()) {
    if (position % podsPerStep === podsPerStep - 1) yield
    if (!isProvisionable(pod)) continue
    let own = verdicts.get(pod.constraints)
    if (own === undefined) verdicts.set(pod.constraints, (own = constraintProblems(pod, snapshot)))
    const [first, ...rest] = [...own, ...volumeClaimProblems(pod, snapshot.volumes, snapshot.labelRules)]
    if (first === undefined) pods.push(pod)
    else ignored.push({ pod, reasons: [first, ...rest] })
  }
  const blocks = readBudgets(snapshot.podDisruptionBudgets)
  let looked = 0
  for (const state of snapshot.nodes) {
    if (!state.isMarkedForDeletion || state.node === undefined) continue
    looked += state.pods.length + 1
    if (looked >= podsPerStep) {
      looked = 0
      yield
    }
    for (const pod of state.pods) if (isCurrentlyReschedulable(pod, snapshot.nowMs, blocks)) pods.push(pod)
  }
  return { pods, ignored }
}

const constraintProblems = (pod: Pod, { labelRules }: Snapshot): ReadonlyArray<PodReason> => {
  const { nodeSelector, requiredNodeTerms, preferredNodeTerms } = pod.constraints
  const { knowledge } = labelRules
  const expressions = [
    ...Object.entries(nodeSelector).map(([key, value]): RequirementSpec => ({ key, operator: 'In', values: [value] })),
    ...requiredNodeTerms.flatMap((term) => term.expressions),
  ]
  const problems: Array<PodReason> = []
  // The heaviest preference counts whatever the policy (P-ELG-06).
  const asked = Requirements.and(
    Requirements.and(
      Requirements.fromLabels(nodeSelector, knowledge),
      Requirements.fromSpecs(heaviestFirst(preferredNodeTerms)[0]?.term.expressions ?? [], knowledge),
    ),
    Requirements.fromSpecs(requiredNodeTerms[0]?.expressions ?? [], knowledge),
  )
  const nodePool = asked.byKey.get(labelKeys.nodePool)
  if (nodePool !== undefined && Requirement.operatorOf(nodePool) === 'DoesNotExist') problems.push({ _tag: 'OptedOut' })
  if (requiredNodeTerms.some(({ hasMatchFields }) => hasMatchFields)) problems.push({ _tag: 'MatchFieldsUnsupported' })
  for (const requirement of expressions) {
    const problem = requirementProblem(requirement, knowledge)
    if (problem !== undefined) problems.push({ _tag: 'InvalidRequirement', requirement, problem })
  }
  return problems
}

/** What is wrong with one requirement that a pod or NodePool states (P-NPR-03), or `undefined`. */
export const requirementProblem = (
  { key: written, operator, values = [] }: RequirementSpec,
  knowledge: LabelKnowledge,
): RequirementProblem | undefined => {
  const key = Labels.normalizeKey(written, knowledge)
  if (!(Requirement.operators as ReadonlyArray<string>).includes(operator)) return 'unsupported operator'
  if (Labels.isRestricted(key, knowledge)) return 'restricted label'
  const known = operator === 'In' ? knowledge.knownValues.get(key) : undefined
  if (known !== undefined && !values.some((value) => known.has(value))) return 'unknown values'
  if (Labels.problemWithKey(key) !== undefined) return 'malformed key'
  if (values.some((value) => Labels.problemWithValue(value) !== undefined)) return 'malformed value'
  if (operator === 'In' && values.length === 0) return 'missing values'
  if (operator === 'Gt' || operator === 'Lt' || operator === 'Gte' || operator === 'Lte') {
    const bound = values.length === 1 ? Requirement.parseInteger(values[0] ?? '') : undefined
    if (bound === undefined || bound < 0) return 'not one non-negative integer'
  }
  return undefined
}

interface Block {
  readonly namespace: string
  readonly selector: Selector
  readonly isFull: boolean
  readonly sparesUnready: boolean
}

const readBudgets = (budgets: ReadonlyArray<PodDisruptionBudget>): ReadonlyArray<Block> =>
  budgets.map(({ namespace, selector, minAvailable, maxUnavailable, unhealthyPodEvictionPolicy }) => ({
    namespace,
    selector: E.getOrElse(() => Labels.selectNothing as Selector)(Labels.checkSelector(selector)),
    isFull: maxUnavailable === '0' || maxUnavailable === '0%' || minAvailable === '100%',
    sparesUnready: unhealthyPodEvictionPolicy === 'AlwaysAllow',
  }))

// P-ELG-03: what leaves the node soon. A pod that nothing may evict stays, and a node for it would be wasted.
const isCurrentlyReschedulable = (pod: Pod, nowMs: number, budgets: ReadonlyArray<Block>): boolean =>
  Pods.isReschedulable(pod) &&
  !(Pods.isActive(pod) && Pods.isDoNotDisruptActive(pod, nowMs)) &&
  !(Pods.isEvictable(pod, nowMs) && isFullyBlocked(pod, budgets))

// P-ELG-04.
const isFullyBlocked = (pod: Pod, budgets: ReadonlyArray<Block>): boolean => {
  const matching = budgets.filter(
    ({ namespace, selector }) => namespace === pod.namespace && Labels.matches(selector, pod.labels),
  )
  if (matching.length > 1) return true
  return matching.some(({ isFull, sparesUnready }) => isFull && !(sparesUnready && !pod.isReady))
}
