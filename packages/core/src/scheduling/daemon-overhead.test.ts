import { describe, expect, test } from '@jest/globals'

import { labelKeys } from '../labels/index.ts'
import {
  copies,
  daemonSet,
  decide,
  instanceType,
  isIn,
  nodePool,
  pod,
  preferring,
  requiring,
  selecting,
  usingPort,
} from '../testing/index.ts'

const tier = 'example.com/tier'
const types = [instanceType('small', 2), instanceType('large', 8)]
const heavy = { cpu: '1500m' }
const taint = { key: 'team', value: 'x', effect: 'NoSchedule' as const }
type Constraints = Parameters<typeof daemonSet>[2]

/** Whether a daemon runs on small nodes of the NodePool: then a pod of one CPU does not fit beside it. */
const isExpected = (constraints: Constraints, pool = nodePool('default')): boolean => {
  const tolerations = [{ operator: 'Exists' as const }]
  const scene = { types, nodePools: [pool], daemonSets: [daemonSet('agent', heavy, constraints)] }
  return decide({ ...scene, pods: [pod('p', '1', { tolerations })] }).types[0] === 'large'
}

describe('daemons on nodes to come', () => {
  test('P-DMN-03: a daemon is expected where it tolerates the taints', () => {
    const tainted = nodePool('default', { taints: [taint] })
    expect(isExpected({})).toBe(true)
    expect(isExpected({}, tainted)).toBe(false)
    expect(isExpected({ tolerations: [{ operator: 'Exists' }] }, tainted)).toBe(true)
  })

  test('P-DMN-03: startup taints and PreferNoSchedule keep no daemon away', () => {
    expect(isExpected({}, nodePool('default', { startupTaints: [taint] }))).toBe(true)
    expect(isExpected({}, nodePool('default', { taints: [{ ...taint, effect: 'PreferNoSchedule' }] }))).toBe(true)
  })

  test('P-DMN-03: its selector must be met by the NodePool, well-known labels left open, and by the type', () => {
    expect(isExpected(selecting({ [tier]: 'gold' }))).toBe(false)
    expect(isExpected(selecting({ [tier]: 'gold' }), nodePool('default', { labels: { [tier]: 'gold' } }))).toBe(true)
    expect(isExpected(selecting({ [labelKeys.region]: 'somewhere' }))).toBe(true)
    expect(isExpected(selecting({ [labelKeys.arch]: 'arm64' }))).toBe(false)
    expect(isExpected(selecting({ [labelKeys.arch]: 'amd64' }))).toBe(true)
  })

  test('P-DMN-03: any alternative of its required affinity will do; preferences do not matter', () => {
    expect(isExpected(requiring([isIn(tier, 'gold')], [isIn(labelKeys.arch, 'amd64')]))).toBe(true)
    expect(isExpected(requiring([isIn(tier, 'gold')], [isIn(tier, 'tin')]))).toBe(false)
    expect(isExpected(preferring([1, isIn(tier, 'gold')]))).toBe(true)
  })

  test('P-SCH-02: a daemon that selects registered and initialised nodes is expected on nodes to come', () => {
    expect(isExpected(selecting({ [labelKeys.registered]: 'true', [labelKeys.initialized]: 'true' }))).toBe(true)
    const { plan } = decide({ types, pods: [pod('p')] })
    for (const key of [labelKeys.registered, labelKeys.initialized]) {
      expect(plan.launches[0]?.labels).not.toHaveProperty([key])
      expect(plan.launches[0]?.requirements.byKey.has(key)).toBe(false)
    }
  })

  test('P-DMN-04: types are judged with the daemons that run on them, and on no others', () => {
    const onLarge = daemonSet('agent', { cpu: '7' }, selecting({ [labelKeys.instanceType]: 'large' }))
    expect(decide({ types, daemonSets: [onLarge], pods: [pod('p', '1')] }).types).toEqual(['small'])
    expect(decide({ types, daemonSets: [onLarge], pods: [pod('p', '800m')] }).types).toEqual(['small large'])
  })

  test('P-DMN-04: daemons take their place among the pods of a node, too', () => {
    const tiny = [instanceType('tiny', 8, { capacity: { cpu: '8', memory: '8Gi', pods: '3' } as never })]
    const pods = copies(3, (name) => pod(name, '1'))
    expect(decide({ types: tiny, pods }).launches).toEqual(['default: p0 p1 p2'])
    expect(decide({ types: tiny, pods, daemonSets: [daemonSet('agent', {})] }).launches).toEqual([
      'default: p0 p1',
      'default: p2',
    ])
  })

  test('P-DMN-05: every node starts with the ports of its daemons alone, and keeps those of its pods', () => {
    const daemonSets = [
      daemonSet('agent', {}, { ...usingPort(90), ...selecting({ [labelKeys.instanceType]: 'small' }) }),
    ]
    const pods = copies(3, (name) => pod(name, '100m', usingPort(80)))
    expect(decide({ types, daemonSets, pods }).launches).toEqual(['default: p0', 'default: p1', 'default: p2'])
    // p0 takes 80 on both types; p1 wants 90, which daemons hold on small ones: the node is large from then on.
    const mixed = [pod('p0', '200m', usingPort(80)), pod('p1', '100m', usingPort(90)), pod('p2', '50m', usingPort(80))]
    const decision = decide({ types, daemonSets, pods: mixed })
    expect(decision.launches).toEqual(['default: p0 p1', 'default: p2'])
    expect(decision.types).toEqual(['large', 'small large'])
  })

  test('P-DMN-06: what daemons ask for counts once, however many pods a node gets', () => {
    const daemonSets = [daemonSet('agent', { cpu: '400m' })]
    const exactly = copies(3, (name) => pod(name, '500m'))
    const decision = decide({ types: [types[0]!], daemonSets, pods: exactly })
    expect(decision.launches).toEqual(['default: p0 p1 p2'])
    expect(decision.plan.launches[0]?.requests).toMatchObject({ cpu: '1900m', pods: '4' })
  })

  test('P-DMN-07: a launch asks for the least that daemons need on any type it may become', () => {
    const daemonSets = [
      daemonSet('small', { cpu: '300m' }, selecting({ [labelKeys.instanceType]: 'small' })),
      daemonSet('large', { cpu: '600m' }, selecting({ [labelKeys.instanceType]: 'large' })),
    ]
    const requested = (cpu: string) => decide({ types, daemonSets, pods: [pod('p', cpu)] }).plan.launches[0]?.requests
    expect(requested('1')).toMatchObject({ cpu: '1300m' })
    expect(requested('3')).toMatchObject({ cpu: '3600m' })
  })

  test('P-DMN-09: daemons that claim devices are not reckoned with', () => {
    expect(isExpected({ usesDynamicResources: true })).toBe(false)
  })

  test('daemons that take all of every type leave their reason', () => {
    const daemonSets = [daemonSet('agent', { cpu: '64' })]
    expect(decide({ types, daemonSets, pods: [pod('p')] }).rejections).toEqual(['p unplaced: NoInstanceTypeFits'])
  })
})
