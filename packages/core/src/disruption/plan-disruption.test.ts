import { describe, expect, test } from '@jest/globals'

import { instanceType, managedNode, nodePool, runningPod, sceneOf } from '../testing/index.ts'
import { disruptionMethods, planDisruption, startDisruption } from './index.ts'

const pods = (name: string, cpu = '3') => [runningPod(`${name}-pod`, { cpu })]
const strategy = 'reference'
const empty = managedNode('empty')
const drifted = managedNode('drifted', { pods: pods('drifted'), driftedAtMs: 0 })
const light = ['light-1', 'light-2'].map((name) => managedNode(name, { pods: pods(name) }))
const reasonsOf = ({ blocked }: ReturnType<typeof planDisruption>) =>
  blocked.map(({ node, reason }) => `${node}: ${reason._tag}`)

describe('planDisruption()', () => {
  test('D-LOOP-02: methods are tried in order, and the first that finds something ends the pass', () => {
    expect(disruptionMethods).toEqual([
      'emptiness',
      'static-drift',
      'drift',
      'multi-node-consolidation',
      'single-node-consolidation',
    ])
    const methodOf = (nodes: ReadonlyArray<typeof empty>) => planDisruption(sceneOf({ nodes }), { strategy }).method
    expect(methodOf([empty, drifted, ...light])).toBe('emptiness')
    expect(methodOf([drifted, ...light])).toBe('drift')
    expect(methodOf(light)).toBe('single-node-consolidation')
    expect(methodOf([])).toBeUndefined()
  })

  test('only the methods asked for are tried, in their own order', () => {
    const snapshot = sceneOf({ nodes: [empty, drifted, ...light] })
    const chosen = planDisruption(snapshot, { strategy, methods: ['single-node-consolidation', 'drift'] })
    expect(chosen.method).toBe('drift')
    const emptiness = planDisruption(snapshot, { strategy, methods: ['emptiness'] })
    // What no other method will look at has a reason of its own.
    expect(reasonsOf(emptiness)).toEqual(['drifted: NotEmpty', 'light-1: NotEmpty', 'light-2: NotEmpty'])
  })

  test('D-CAND-02: nodes of commands under way are no candidates, and use budgets up', () => {
    const budget = (nodes: string) =>
      nodePool('default', { disruption: { ...nodePool('x').disruption, budgets: [{ nodes }] } })
    const nodes = [empty, managedNode('other')]
    const inFlight = new Set(['other'])
    const plan = planDisruption(sceneOf({ nodes }), { strategy, inFlight })
    expect(plan.commands.map(({ candidates }) => candidates.map(({ node }) => node))).toEqual([['empty']])
    expect(reasonsOf(plan)).toEqual(['other: InFlight'])
    const spent = planDisruption(sceneOf({ nodes, nodePools: [budget('1')] }), { strategy, inFlight })
    expect(reasonsOf(spent)).toEqual(['empty: Budget', 'other: InFlight'])
  })

  test('what a command under way moves counts as moving', () => {
    const [one, two] = [managedNode('one', { pods: pods('one', '5') }), managedNode('two', { pods: pods('two', '2') })]
    const scene = sceneOf({ nodes: [one, two], types: [instanceType('large', 8)] })
    const taken = (inFlight: ReadonlySet<string>) =>
      planDisruption(scene, { strategy, inFlight }).commands.flatMap(({ candidates }) =>
        candidates.map(({ node }) => node),
      )
    expect(taken(new Set())).toEqual(['one'])
    // The pods of `one` will need the room of `two`.
    expect(taken(new Set(['one']))).toEqual([])
  })

  test('the plan is the same in slices, and takes many', () => {
    const snapshot = sceneOf({ nodes: [drifted, ...light] })
    const run = startDisruption(snapshot, { strategy })
    let slices = 1
    while (!run.step(1)) slices += 1
    expect(slices).toBeGreaterThan(5)
    expect(run.step(1)).toBe(true)
    const whole = planDisruption(snapshot, { strategy })
    expect(run.finish().commands.map(({ candidates }) => candidates)).toEqual(
      whole.commands.map(({ candidates }) => candidates),
    )
    expect(run.finish().blocked).toEqual(whole.blocked)
  })
})
