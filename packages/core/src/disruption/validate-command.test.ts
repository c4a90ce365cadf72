import { describe, expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'

import type { Pod, Snapshot, StateNode } from '../cluster/index.ts'
import { instanceType, managedNode, nodePool, pendingPod, runningPod, sceneOf } from '../testing/index.ts'
import type { Scene } from '../testing/index.ts'
import {
  planDisruption,
  startValidation,
  validateCommand,
  type DisruptionCommand,
  type ValidationFailure,
} from './index.ts'

const strategy = 'reference'
const onDemand = nodePool('default', {
  requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
})
const types = [instanceType('large', 8), instanceType('medium', 4), instanceType('small', 2)]
const light = (name: string) => [runningPod(`${name}-pod`, { cpu: '3' })]
const one = (parts: Parameters<typeof managedNode>[1] = {}) => managedNode('one', { pods: light('one'), ...parts })
const two = () => managedNode('two', { pods: light('two') })

const planned = (scene: Scene): DisruptionCommand => {
  const [command] = planDisruption(sceneOf(scene), { strategy }).commands
  if (command === undefined) throw new Error('There is no command')
  return command
}
const failure = (snapshot: Snapshot, command: DisruptionCommand): ValidationFailure | undefined => {
  const found = validateCommand(snapshot, command, { strategy })
  return E.isLeft(found) ? found.left : undefined
}
const inWords = (found: ValidationFailure | undefined) =>
  found === undefined
    ? 'valid'
    : [found.kind, ...found.blocked.map(({ node, reason }) => `${node}: ${reason._tag}`)].join(', ')

// One node is replaced by a cheaper one.
const replaced: Scene = { nodes: [one()], types, nodePools: [onDemand] }
const replace = planned(replaced)
const afterReplace = (parts: Scene) => inWords(failure(sceneOf({ ...replaced, ...parts }), replace))
// Of two nodes one goes without replacement.
const deleted: Scene = { nodes: [one(), two()], types: [types[0]!], nodePools: [onDemand] }
const remove = planned(deleted)
const afterDelete = (parts: Scene) => inWords(failure(sceneOf({ ...deleted, ...parts }), remove))
const withPod = (state: StateNode, pod: Pod): StateNode => ({ ...state, pods: [...state.pods, pod] })

describe('validateCommand()', () => {
  test('D-VALID-02, D-VALID-06: an unchanged cluster lets the command pass as it is', () => {
    expect(validateCommand(sceneOf(replaced), replace, { strategy })).toEqual(E.right(replace))
    expect(validateCommand(sceneOf(deleted), remove, { strategy })).toEqual(E.right(remove))
  })

  test('D-VALID-02, D-VALID-04, D-CAND-01, D-CAND-14: candidates are made anew by name, and one that is none any more is churn', () => {
    expect(afterReplace({ nodes: [] })).toBe('churn, one: NoNode')
    expect(afterReplace({ nodes: [{ ...one(), isMarkedForDeletion: true }] })).toBe('churn, one: Deleting')
    expect(afterReplace({ nodes: [one({ conditions: ['Initialized'] })] })).toBe('churn, one: NotConsolidatable')
    expect(afterReplace({ nodes: [managedNode('one')] })).toBe('churn, one: OthersFirst')
  })

  test('D-VALID-02, D-VALID-04: budgets that are spent and expected pods are a matter of budget', () => {
    const closed = { ...onDemand, disruption: { ...onDemand.disruption, budgets: [{ nodes: '0' }] } }
    expect(afterReplace({ nodePools: [closed] })).toBe('budget, one: Budget')
    expect(afterReplace({ nodes: [{ ...one(), nominatedUntilMs: 5 }], nowMs: 4 })).toBe('budget, one: Nominated')
    // Budgets for other reasons are no matter.
    const others = { ...onDemand.disruption, budgets: [{ nodes: '0', reasons: ['Empty' as const] }] }
    expect(afterReplace({ nodePools: [{ ...onDemand, disruption: others }] })).toBe('valid')
  })

  test('D-VALID-03: as many new nodes must be needed as were planned', () => {
    const full = managedNode('two', { pods: [runningPod('two-pod', { cpu: '7' })] })
    expect(afterDelete({ nodes: [one(), full] })).toBe('scheduling')
    expect(afterReplace({ nodes: [one(), two()] })).toBe('scheduling')
    const scattered = withPod(one(), runningPod('second', { cpu: '7' }))
    expect(afterReplace({ nodes: [scattered] })).toBe('scheduling')
  })

  test('D-VALID-03: all running pods must find a place', () => {
    const stuck = runningPod('stuck', { cpu: '1' }, { nodeSelector: { 'kubernetes.io/hostname': 'one' } })
    expect(afterReplace({ nodes: [withPod(one(), stuck)] })).toBe('scheduling, one: PodsWithoutPlace')
    // One that waits already may go on waiting.
    const hopeless = pendingPod('hopeless', { cpu: '100' })
    expect(afterReplace({ pods: [hopeless] })).toBe('valid')
  })

  test('D-VALID-03: what was planned may name only types that would still do; their prices do not count again', () => {
    expect(replace.replacements.map(({ instanceTypes }) => instanceTypes?.map(({ name }) => name))).toEqual([
      ['medium'],
    ])
    expect(afterReplace({ types: [types[0]!, types[2]!] })).toBe('scheduling')
    const dear = types.map((type) => ({
      ...type,
      offerings: type.offerings.map((one) => ({ ...one, pricePerHour: 50 })),
    }))
    expect(afterReplace({ types: dear })).toBe('valid')
  })

  test('D-VALID-07: a pod that may not be moved and comes during the wait ends either command', () => {
    const held = runningPod('held', { cpu: '100m' }, {}, { disruption: { deletionCost: 0, doNotDisrupt: {} } })
    expect(afterReplace({ nodes: [withPod(one(), held)] })).toBe('churn, one: PodDoNotDisrupt')
    expect(afterDelete({ nodes: [withPod(one(), held), two()] })).toBe('churn, one: PodDoNotDisrupt')
    const covered = {
      podDisruptionBudgets: [
        {
          namespace: 'default',
          name: 'none',
          selector: {},
          disruptionsAllowed: 0,
          unhealthyPodEvictionPolicy: 'IfHealthyBudget',
        } as const,
      ],
    }
    expect(afterReplace(covered)).toBe('churn, one: PodDisruptionBudget')
    expect(afterDelete(covered)).toBe('churn, one: PodDisruptionBudget')
  })

  test('D-EMPTY-04: of empty nodes those go that still may', () => {
    const empty = ['a', 'b', 'c'].map((name) => managedNode(name))
    const command = planned({ nodes: empty })
    expect(command.candidates.map(({ node }) => node)).toEqual(['a', 'b', 'c'])
    const later = sceneOf({ nodes: [empty[0]!, managedNode('b', { pods: light('b') })] })
    const found = validateCommand(later, command, { strategy })
    expect(E.isRight(found) && found.right.candidates.map(({ node }) => node)).toEqual(['a'])
    expect(E.isRight(found) && found.right.savingsPerHour).toBe(8)
    const filled = empty.map(({ name }) => managedNode(name, { pods: light(name) }))
    expect(inWords(failure(sceneOf({ nodes: filled }), command))).toBe('churn, a: NotEmpty, b: NotEmpty, c: NotEmpty')
    const closed = nodePool('default', { disruption: { ...onDemand.disruption, budgets: [{ nodes: '0' }] } })
    expect(inWords(failure(sceneOf({ nodes: empty, nodePools: [closed] }), command))).toBe(
      'budget, a: Budget, b: Budget, c: Budget',
    )
  })

  test('D-VALID-08, D-DRIFT-05: drift is carried out as it was planned, whatever has become of the cluster', () => {
    const command = planned({ nodes: [managedNode('one', { pods: light('one'), driftedAtMs: 0 })] })
    expect(command.reason).toBe('Drifted')
    expect(failure(sceneOf({ nodes: [] }), command)).toBeUndefined()
  })

  test('the answer is the same in slices', () => {
    const run = startValidation(sceneOf(replaced), replace, { strategy })
    let slices = 1
    while (!run.step(1)) slices += 1
    expect(slices).toBeGreaterThan(5)
    expect(run.finish()).toEqual(E.right(replace))
  })
})
