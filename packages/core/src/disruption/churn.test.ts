import { describe, expect, test } from '@jest/globals'

import type { Pod } from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Resources } from '../quantity/index.ts'
import { instanceType, managedNode, nodePool, offering, runningPod, sceneOf } from '../testing/index.ts'
import type { Scene } from '../testing/index.ts'
import { planDisruption, validateCommand, type DisruptionOptions } from './index.ts'

const minuteMs = 60_000
const nowMs = 60 * minuteMs
const firstFit: DisruptionOptions = { strategy: 'first-fit' }
const pool = (budget = '100%', limits?: Readonly<Record<string, string>>) =>
  nodePool('default', {
    requirements: [{ key: labelKeys.capacityType, operator: 'In', values: ['on-demand'] }],
    disruption: {
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfterMs: 0,
      budgets: [{ nodes: budget }],
    },
    ...(limits === undefined ? {} : { limits: Resources.parse(limits) }),
  })
const owned = (name: string, cpu: string, rest: Partial<Pod> = {}) =>
  runningPod(
    name,
    { cpu },
    {},
    {
      owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web' },
      createdAtMs: 0,
      ...rest,
    },
  )
const plan = (scene: Scene, options: DisruptionOptions = firstFit) =>
  planDisruption(sceneOf({ nowMs, nodePools: [pool()], ...scene }), options)
const taken = ({ commands }: ReturnType<typeof planDisruption>) =>
  commands.map(
    ({ candidates, replacements }) =>
      `${candidates.map(({ node }) => node).join(' ')} -> ${replacements.map(({ instanceTypes = [] }) => instanceTypes[0]?.name).join(' ')}`,
  )
const reasons = ({ blocked }: ReturnType<typeof planDisruption>) =>
  blocked.map(({ node, reason }) => `${node}: ${reason._tag}`)

describe('pods moved a short while ago', () => {
  const nodes = (createdAtMs: number) => [managedNode('one', { pods: [owned('web-0', '3', { createdAtMs })] })]
  const types = [instanceType('large', 8), instanceType('medium', 4)]
  const after = (movedAtMs: number, createdAtMs: number, rest: Partial<DisruptionOptions> = {}) =>
    plan({ nodes: nodes(createdAtMs), types }, { ...firstFit, movedWorkloads: new Map([['web', movedAtMs]]), ...rest })

  test('keep their node for ten minutes, and what that costs is reported', () => {
    const movedAtMs = nowMs - 9 * minuteMs
    const held = after(movedAtMs, movedAtMs + 1)
    expect(taken(held)).toEqual([])
    expect(held.blocked).toEqual([
      {
        node: 'one',
        nodePool: 'default',
        reason: { _tag: 'RecentlyMoved', pod: 'default/web-0', untilMs: nowMs + minuteMs },
      },
    ])
    expect(held.forgone).toEqual([{ nodes: ['one'], savingsPerHour: 4, rule: 'RecentlyMoved' }])
    expect(taken(after(nowMs - 10 * minuteMs, nowMs - 10 * minuteMs))).toEqual(['one -> medium'])
  })

  test('are those younger than the window: the others were not moved', () => {
    expect(taken(after(nowMs - minuteMs, 0))).toEqual(['one -> medium'])
  })

  test('keep it no longer than asked for, and not at all where churn is allowed or the reference decides', () => {
    const movedAtMs = nowMs - 5 * minuteMs
    expect(taken(after(movedAtMs, movedAtMs, { moveAgainAfterMs: 5 * minuteMs }))).toEqual(['one -> medium'])
    expect(taken(after(movedAtMs, movedAtMs, { churn: 'allow' }))).toEqual(['one -> medium'])
    expect(taken(after(movedAtMs, movedAtMs, { strategy: 'reference' }))).toEqual(['one -> medium'])
  })

  test('end a command that waits', () => {
    const snapshot = sceneOf({ nowMs, nodes: nodes(nowMs - 1), types, nodePools: [pool()] })
    const [command] = planDisruption(snapshot, firstFit).commands
    if (command === undefined) throw new Error('There is no command')
    const found = validateCommand(snapshot, command, { ...firstFit, movedWorkloads: new Map([['web', nowMs - 1]]) })
    expect(found).toMatchObject({ left: { kind: 'churn', blocked: [{ reason: { _tag: 'RecentlyMoved' } }] } })
  })
})

describe('empty nodes with pods that nobody minds moving', () => {
  const worthless = (name: string, cpu: string) => owned(name, cpu, { disruption: { deletionCost: -(2 ** 31) } })
  const scene: Scene = {
    types: [instanceType('large', 8)],
    nodes: [
      managedNode('one', { pods: [worthless('web-0', '6')] }),
      managedNode('two', { pods: [owned('web-1', '6')] }),
    ],
  }

  test('stay where their pods would bring them back', () => {
    expect(taken(plan(scene, { strategy: 'reference' }))).toEqual(['one -> '])
    expect(taken(plan(scene, { ...firstFit, churn: 'allow' }))).toEqual(['one -> '])
    const held = plan(scene)
    expect(taken(held)).toEqual([])
    expect(reasons(plan(scene, { ...firstFit, methods: ['emptiness'] }))).toEqual([
      'one: WouldBeBoughtAgain',
      'two: NotEmpty',
    ])
    // The pods would get a node like it, so that nothing would be saved.
    expect(held.forgone).toEqual([])
  })

  test('are replaced by cheaper ones, like any other node', () => {
    const types = [instanceType('large', 8), instanceType('cheap', 8, { offerings: [offering('a', 'on-demand', 5)] })]
    expect(taken(plan({ ...scene, types }))).toEqual(['one two -> cheap cheap'])
  })

  test('go where their pods fit elsewhere', () => {
    const nodes = [
      managedNode('one', { pods: [worthless('web-0', '1')] }),
      managedNode('two', { pods: [owned('web-1', '6')] }),
    ]
    const found = plan({ ...scene, nodes })
    expect(found.method).toBe('emptiness')
    expect(taken(found)).toEqual(['one -> '])
  })
})

describe('replacements that would go again', () => {
  const types = [
    instanceType('small', 2, { offerings: [offering('a', 'on-demand', 2)] }),
    instanceType('middle', 4, { offerings: [offering('a', 'on-demand', 3)] }),
    instanceType('big', 6.2, { offerings: [offering('a', 'on-demand', 4.5)] }),
  ]
  const nodes = ['one', 'two', 'three'].map((name) =>
    managedNode(name, { type: 'small', cpu: 2, pods: [owned(`${name}-0`, '1900m')] }),
  )
  const saved = (budget: string, churn: 'avoid' | 'allow') => {
    const found = plan({ types, nodes, nodePools: [pool(budget)] }, { ...firstFit, churn })
    return { found, saved: found.commands.map(({ savingsPerHour }) => savingsPerHour) }
  }

  test('are not proposed, and what that costs is reported', () => {
    // Two make room for one more; with the third, the middle one would go for a big one.
    expect(taken(saved('2', 'allow').found)).toEqual(['one three -> middle'])
    const { found } = saved('2', 'avoid')
    expect(taken(found)).toEqual([])
    expect(found.forgone.map(({ rule, savingsPerHour }) => `${rule} ${savingsPerHour}`)).toContain(
      'ReplacementWouldGo 1',
    )
    expect(reasons(found)).toContain('one: ReplacementWouldGo')
  })

  test('the budget allowing, all that would go together goes at once', () => {
    expect(taken(saved('3', 'avoid').found)).toEqual(['one three two -> big'])
    expect(saved('3', 'avoid').saved).toEqual([1.5])
  })
})

describe('several nodes for several', () => {
  test('two nodes make room for smaller ones, which together cost less; the reference buys one at most (W-04)', () => {
    const types = [16, 8, 2].map((cpu) => instanceType(`cpu-${cpu}`, cpu))
    const nodes = ['one', 'two'].map((name) =>
      managedNode(name, {
        type: 'cpu-16',
        cpu: 16,
        pods: ['7500m', '3900m', '900m'].map((cpu) => owned(`${name}-${cpu}`, cpu)),
      }),
    )
    const scene: Scene = { types, nodes }
    expect(taken(plan(scene, { strategy: 'reference' }))).toEqual([])
    const found = plan(scene)
    expect(taken(found)).toEqual(['one two -> cpu-8 cpu-8 cpu-8 cpu-2'])
    expect(found.commands[0]?.savingsPerHour).toBeCloseTo(6)
    // The same nodes are needed when the command is looked at again.
    const [command] = found.commands
    if (command === undefined) throw new Error('There is no command')
    expect(validateCommand(sceneOf({ nowMs, nodePools: [pool()], ...scene }), command, firstFit)._tag).toBe('Right')
  })

  test('even the dearest types of all replacements together cost less than what goes', () => {
    const types = [
      instanceType('cpu-16', 16),
      instanceType('cpu-8', 8, { offerings: [offering('a', 'on-demand', 7), offering('b', 'on-demand', 15)] }),
    ]
    const nodes = [managedNode('one', { type: 'cpu-16', cpu: 16, pods: [owned('a', '7'), owned('b', '6')] })]
    // At worst two of them cost 30, though they may cost 14.
    expect(taken(plan({ types, nodes }))).toEqual([])
  })
})

describe('limits of NodePools', () => {
  const types = [instanceType('large', 8), instanceType('medium', 4)]
  const nodes = [managedNode('one', { pods: [owned('web-0', '3')] })]

  test('are kept while a replacement is up beside the node it replaces; the reference exceeds them meanwhile', () => {
    const scene: Scene = { types, nodes, nodePools: [pool('100%', { cpu: '10' })] }
    expect(taken(plan(scene, { strategy: 'reference' }))).toEqual(['one -> medium'])
    const found = plan(scene)
    expect(taken(found)).toEqual([])
    expect(found.blocked[0]?.reason).toEqual({ _tag: 'LimitWhileReplacing', nodePools: ['default'] })
    expect(taken(plan({ ...scene, nodePools: [pool('100%', { cpu: '12' })] }))).toEqual(['one -> medium'])
  })

  test('count nodes of commands under way as long as they are there', () => {
    const more = [...nodes, managedNode('two', { pods: [owned('web-1', '7')] })]
    const scene: Scene = { types, nodes: more, nodePools: [pool('100%', { cpu: '20' })] }
    expect(taken(plan(scene))).toEqual(['one -> medium'])
    const later = plan(scene, { ...firstFit, inFlight: new Set(['two']) })
    expect(later.blocked.map(({ node, reason }) => `${node}: ${reason._tag}`)).toEqual([
      'one: LimitWhileReplacing',
      'two: InFlight',
    ])
  })

  test('drift waits for room as well', () => {
    const drifted = [managedNode('one', { pods: [owned('web-0', '7')], driftedAtMs: 0 })]
    const scene: Scene = { types, nodes: drifted, nodePools: [pool('100%', { nodes: '1' })] }
    expect(taken(plan(scene, { strategy: 'reference' }))).toEqual(['one -> large'])
    expect(
      reasons(plan({ ...scene, nodePools: [pool('100%', { nodes: '1' })] }, { ...firstFit, methods: ['drift'] })),
    ).toEqual(['one: LimitWhileReplacing'])
  })
})
