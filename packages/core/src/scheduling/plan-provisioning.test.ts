import { describe, expect, test } from '@jest/globals'

import {
  podKey,
  type Pod,
  type PodAffinityTerm,
  type Snapshot,
  type TopologySpreadConstraint,
} from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Quantity, Resources } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import {
  daemonSet,
  instanceType,
  nodePool,
  offering,
  pendingPod,
  reserved,
  reservationKey,
  snapshotFor,
  stateNode,
} from '../testing/index.ts'
import { planProvisioning, startProvisioning } from './plan-provisioning.ts'
import type { ProvisioningPlan, Strategy } from './plan.ts'

const plan = (snapshot: Snapshot, strategy: Strategy = 'reference'): ProvisioningPlan =>
  planProvisioning(snapshot, { strategy, reservedOfferings: 'strict' })

const launchesOf = (result: ProvisioningPlan) =>
  result.launches.map(({ nodePool: pool, pods }) => `${pool}: ${pods.map(({ name }) => name).join(' ')}`)
const typesOf = (result: ProvisioningPlan, launch = 0) => result.launches[launch]?.instanceTypes.map(({ name }) => name)
const requirementOf = (result: ProvisioningPlan, key: string, launch = 0) => {
  const found = result.launches[launch]?.requirements.byKey.get(key)
  return found === undefined ? undefined : Requirement.render(found)
}
const tagsOf = (result: ProvisioningPlan) =>
  result.rejections.map(
    ({ pod, verdict, reasons }) => `${pod.name} ${verdict}: ${reasons.map(({ _tag }) => _tag).join()}`,
  )

const web = { matchLabels: { app: 'web' } }
const labelled = (name: string, constraints: Partial<Pod['constraints']>, requests = { cpu: '1' }) =>
  pendingPod(name, requests, constraints, { labels: { app: 'web' } })
const spread = (topologyKey: string, rest: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: web,
  matchLabelKeys: [],
  nodeAffinityPolicy: 'Honor',
  nodeTaintsPolicy: 'Ignore',
  ...rest,
})
const podTerm = (topologyKey: string): PodAffinityTerm => ({ topologyKey, labelSelector: web, namespaces: [] })
const apart = (topologyKey: string) => ({ podAntiAffinity: { required: [podTerm(topologyKey)], preferred: [] } })
const together = (topologyKey: string) => ({ podAffinity: { required: [podTerm(topologyKey)], preferred: [] } })
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('planProvisioning: where pods go', () => {
  test('P-QUE-05: an existing node comes before an open claim, and that before a new one', () => {
    const pods = [pendingPod('p0', { cpu: '3' }), pendingPod('p1', { cpu: '2' }), pendingPod('p2', { cpu: '1' })]
    const result = plan(snapshotFor({ pods, nodes: [stateNode('n', { cpu: '2', memory: '8Gi' })] }))
    expect(launchesOf(result)).toEqual(['default: p0 p2'])
    expect(result.placements.map(({ node, pods: placed }) => [node, placed.map(podKey)])).toEqual([
      ['n', ['default/p1']],
    ])
  })

  test('P-EXN-01: initialised nodes come first, then those first by name', () => {
    const nodes = [stateNode('b', { cpu: '4' }), stateNode('a', { cpu: '4' })]
    const result = plan(snapshotFor({ pods: [pendingPod('p')], nodes }))
    expect(result.placements.map(({ node }) => node)).toEqual(['a'])
  })

  test('P-INF-02: the claim with fewest pods is tried first', () => {
    const types = [instanceType('only', 8)]
    const big = ['b0', 'b1'].map((name) => pendingPod(name, { cpu: '5' }))
    const small = numbers(4).map((index) => pendingPod(`s${index}`, { cpu: '1' }))
    expect(launchesOf(plan(snapshotFor({ pods: [...big, ...small], types })))).toEqual([
      'default: b0 s0 s3',
      'default: b1 s1 s2',
    ])
  })

  test('P-SCH-01: heavier NodePools are tried first, equal ones by name from the end', () => {
    const nodePools = [nodePool('a'), nodePool('z'), nodePool('heavy', { weight: 5 })]
    expect(launchesOf(plan(snapshotFor({ pods: [pendingPod('p')], nodePools })))).toEqual(['heavy: p'])
    const equal = nodePools.slice(0, 2)
    expect(launchesOf(plan(snapshotFor({ pods: [pendingPod('p')], nodePools: equal })))).toEqual(['z: p'])
  })

  test('P-PRV-03: pods of nodes under deletion are placed anew, and those nodes take none', () => {
    const running = pendingPod(
      'moved',
      { cpu: '1' },
      {},
      { nodeName: 'going', phase: 'Running', isUnschedulable: false },
    )
    const going = stateNode('going', { cpu: '4' }, { isMarkedForDeletion: true, pods: [running] })
    expect(launchesOf(plan(snapshotFor({ nodes: [going] })))).toEqual(['default: moved'])
  })

  test('P-PRV-06: without a usable NodePool every pod is rejected and nothing is tried', () => {
    const result = plan(snapshotFor({ pods: [pendingPod('p')], nodePools: [nodePool('default', { isReady: false })] }))
    expect(result.failure).toBe('NoNodePools')
    expect(tagsOf(result)).toEqual(['p unplaced: NoNodePools'])
  })

  test('P-QUE-04: affinity to a later pod of the batch is found by trying again', () => {
    const follower = pendingPod('follower', { cpu: '2' }, together(labelKeys.hostname))
    const result = plan(snapshotFor({ pods: [follower, labelled('leader', {}, { cpu: '1' })] }))
    expect(launchesOf(result)).toEqual(['default: leader follower'])
  })
})

describe('planProvisioning: types and resources', () => {
  test('P-FLT-01: a claim keeps every type that fits and is offered, cheapest first', () => {
    const result = plan(snapshotFor({ pods: [pendingPod('p', { cpu: '1' })] }))
    expect(typesOf(result)).toEqual(['small', 'large'])
    expect(result.launches[0]?.pricePerHour).toBe(2)
    expect(typesOf(plan(snapshotFor({ pods: [pendingPod('p', { cpu: '3' })] })))).toEqual(['large'])
  })

  test('P-FLT-02: fit and offering must hold for the same allocatable amount', () => {
    const tight = offering('a', 'on-demand', 1, { capacity: Resources.parse({ cpu: '1' }) })
    const roomy = offering('b', 'on-demand', 2)
    const types = [instanceType('mixed', 4, { offerings: [tight, roomy] })]
    const inZone = (zone: string) =>
      snapshotFor({ types, pods: [pendingPod('p', { cpu: '2' }, { nodeSelector: { [labelKeys.zone]: zone } })] })
    expect(plan(inZone('b')).launches).toHaveLength(1)
    expect(tagsOf(plan(inZone('a')))).toEqual(['p unplaced: NoInstanceTypeFits'])
  })

  test('P-DMN-04, P-DMN-07: daemons take room on the types they run on, and the least of them is requested', () => {
    const daemonSets = [daemonSet('agent', { cpu: '1500m' }, { nodeSelector: { [labelKeys.instanceType]: 'small' } })]
    const result = plan(snapshotFor({ pods: [pendingPod('p', { cpu: '1' })], daemonSets }))
    expect(typesOf(result)).toEqual(['large'])
    expect(result.launches[0]?.requests).toEqual(Resources.parse({ cpu: '1', pods: '1' }))
    const everywhere = plan(
      snapshotFor({ pods: [pendingPod('p', { cpu: '1' })], daemonSets: [daemonSet('agent', { cpu: '500m' })] }),
    )
    expect(everywhere.launches[0]?.requests).toEqual(Resources.parse({ cpu: '1500m', pods: '2' }))
  })

  test('P-EXN-05: what daemons will still ask for is kept free on existing nodes', () => {
    const nodes = [stateNode('n', { cpu: '2' })]
    const pods = [pendingPod('p', { cpu: '1500m' })]
    expect(plan(snapshotFor({ pods, nodes })).placements).toHaveLength(1)
    expect(plan(snapshotFor({ pods, nodes, daemonSets: [daemonSet('agent', { cpu: '1' })] })).placements).toHaveLength(
      0,
    )
  })

  test('P-HPT-03: two pods with one host port take two nodes', () => {
    const ports = { hostPorts: [{ ip: '0.0.0.0', port: 80, protocol: 'TCP' }] }
    const pods = ['a', 'b'].map((name) => pendingPod(name, { cpu: '100m' }, ports))
    expect(plan(snapshotFor({ pods })).launches).toHaveLength(2)
  })

  test('the reason for too large a pod names the type that comes closest and what it lacks', () => {
    const [rejection] = plan(snapshotFor({ pods: [pendingPod('huge', { cpu: '10' })] })).rejections
    expect(rejection?.reasons[0]).toMatchObject({
      _tag: 'NoInstanceTypeFits',
      considered: 2,
      haveRoom: 0,
      closest: { instanceType: 'large', resource: 'cpu', requested: '10', allocatable: '7900m' },
    })
    expect(rejection?.mayResolveByWaiting).toBe(false)
  })
})

describe('planProvisioning: limits', () => {
  const limited = (limits: Record<string, string>) => [nodePool('default', { limits: Resources.parse(limits) })]

  test('P-LIM-03, P-LIM-04: types beyond the limit fall away, and the largest that remains is charged', () => {
    const pods = numbers(3).map((index) => pendingPod(`p${index}`, { cpu: '1500m' }))
    const result = plan(
      snapshotFor({
        pods,
        nodePools: limited({ cpu: '5' }),
        types: [instanceType('small', 2), instanceType('large', 8)],
      }),
    )
    expect(result.launches.map((_, launch) => typesOf(result, launch))).toEqual([['small'], ['small']])
    expect(tagsOf(result)).toEqual(['p2 unplaced: LimitReached'])
  })

  test('P-LIM-02: nodes at their limit open no claim', () => {
    const nodes = [stateNode('n', { cpu: '0' }, { labels: { [labelKeys.nodePool]: 'default' } })]
    const result = plan(snapshotFor({ pods: [pendingPod('p')], nodes, nodePools: limited({ nodes: '1' }) }))
    expect(result.rejections[0]?.reasons[0]).toMatchObject({ _tag: 'LimitReached', resource: 'nodes', smallest: '1' })
    expect(result.rejections[0]?.mayResolveByWaiting).toBe(true)
  })

  test('W23: first-fit counts the nodes it opens towards their limit, the reference does not', () => {
    const pods = numbers(3).map((index) => labelled(`p${index}`, apart(labelKeys.hostname)))
    const snapshot = snapshotFor({ pods, nodePools: limited({ nodes: '2' }) })
    expect(plan(snapshot, 'reference').launches).toHaveLength(3)
    expect(plan(snapshot, 'first-fit').launches).toHaveLength(2)
  })
})

describe('planProvisioning: minValues', () => {
  const nodePools = [
    nodePool('default', { requirements: [{ key: labelKeys.instanceType, operator: 'Exists', minValues: 2 }] }),
  ]

  test('P-MIN-04: strict: too few types left is no place', () => {
    const snapshot = snapshotFor({ pods: [pendingPod('p', { cpu: '3' })], nodePools })
    expect(plan(snapshot).rejections[0]?.reasons[0]).toMatchObject({
      _tag: 'MinValuesUnmet',
      keys: [{ key: labelKeys.instanceType, minValues: 2, values: 1 }],
    })
  })

  test('P-MIN-05: best effort lowers the number to what is there and says so', () => {
    const snapshot = snapshotFor({ pods: [pendingPod('p', { cpu: '3' })], nodePools })
    const result = plan({ ...snapshot, settings: { ...snapshot.settings, minValuesPolicy: 'BestEffort' } })
    expect(requirementOf(result, labelKeys.instanceType)).toBe(`${labelKeys.instanceType} In [large] minValues 1`)
    expect(result.launches[0]?.annotations['karpenter.sh/nodeclaim-min-values-relaxed']).toBe('true')
  })
})

describe('planProvisioning: reservations', () => {
  const types = [instanceType('only', 2, { offerings: [reserved('a', 'r-1', 1), offering('a', 'on-demand', 2)] })]
  const pods = ['a', 'b'].map((name) => pendingPod(name, { cpu: '1500m' }))

  test('P-RSV-06, P-RSV-07: one claim takes the reservation, the other pod waits', () => {
    const result = plan(snapshotFor({ pods, types }))
    expect(requirementOf(result, labelKeys.capacityType)).toBe(`${labelKeys.capacityType} In [reserved]`)
    expect(requirementOf(result, reservationKey)).toBe(`${reservationKey} In [r-1]`)
    expect(tagsOf(result)).toEqual(['b deferred: ReservationsTaken'])
  })

  test('P-RSV-05: fallback buys otherwise', () => {
    const result = planProvisioning(snapshotFor({ pods, types }), {
      strategy: 'reference',
      reservedOfferings: 'fallback',
    })
    expect(result.launches).toHaveLength(2)
    expect(requirementOf(result, reservationKey, 0)).toBe(`${reservationKey} In [r-1]`)
    expect(requirementOf(result, reservationKey, 1)).toBeUndefined()
  })

  test('P-RSV-04: without the gate nothing is reserved', () => {
    const snapshot = snapshotFor({ pods, types })
    const { settings } = snapshot
    const off = { ...settings, featureGates: { ...settings.featureGates, reservedCapacity: false } }
    const result = plan({ ...snapshot, settings: off })
    expect(result.launches).toHaveLength(2)
    expect(requirementOf(result, reservationKey)).toBeUndefined()
  })
})

describe('planProvisioning: topology', () => {
  const zonesOf = (result: ProvisioningPlan) =>
    result.launches.map(({ requirements }) =>
      Requirement.sortedValues(Requirements.get(requirements, labelKeys.zone)).join(),
    )

  test('P-TSC-04: a spread takes the emptiest zone, by name among equals', () => {
    const pods = numbers(4).map((index) =>
      labelled(`p${index}`, { topologySpread: [spread(labelKeys.zone)] }, { cpu: '7' }),
    )
    expect(zonesOf(plan(snapshotFor({ pods })))).toEqual(['a', 'b', 'a', 'b'])
  })

  test('P-TSC-03: with fewer zones than minDomains the minimum is zero', () => {
    const constraint = spread(labelKeys.zone, { minDomains: 3 })
    const pods = numbers(3).map((index) => labelled(`p${index}`, { topologySpread: [constraint] }, { cpu: '7' }))
    expect(tagsOf(plan(snapshotFor({ pods })))).toEqual(['p2 unplaced: TopologyUnsatisfied'])
  })

  test('P-TSC-05: a spread over hosts is so many pods per node', () => {
    const pods = numbers(4).map((index) =>
      labelled(`p${index}`, { topologySpread: [spread(labelKeys.hostname, { maxSkew: 2 })] }, { cpu: '100m' }),
    )
    expect(plan(snapshotFor({ pods })).launches.map((launch) => launch.pods.length)).toEqual([2, 2])
  })

  test('P-PRF-05: ScheduleAnyway binds until it cannot be kept, and under Ignore never', () => {
    const soft = spread('nowhere.example.com/rack', { whenUnsatisfiable: 'ScheduleAnyway' })
    const snapshot = snapshotFor({ pods: [labelled('p', { topologySpread: [soft] })] })
    expect(plan(snapshot).stats.relaxedPods).toEqual(['default/p'])
    expect(plan(snapshot).launches).toHaveLength(1)
    const hard = { ...soft, whenUnsatisfiable: 'DoNotSchedule' as const }
    expect(tagsOf(plan(snapshotFor({ pods: [labelled('p', { topologySpread: [hard] })] })))).toEqual([
      'p unplaced: TopologyUnsatisfied',
    ])
  })

  test('P-AFF-04: self-affine pods start in one zone and stay there', () => {
    const pods = numbers(2).map((index) => labelled(`p${index}`, together(labelKeys.zone), { cpu: '7' }))
    expect(zonesOf(plan(snapshotFor({ pods })))).toEqual(['a', 'a'])
  })

  test('P-AFF-08: zonal anti-affinity without a chosen zone blocks every zone', () => {
    const pods = numbers(2).map((index) => labelled(`p${index}`, apart(labelKeys.zone)))
    const result = plan(snapshotFor({ pods }))
    expect(result.launches).toHaveLength(1)
    expect(result.rejections[0]?.mayResolveByWaiting).toBe(true)
  })

  test('P-AFF-09: a pod without anti-affinity keeps away from one that has it against it', () => {
    const loner = pendingPod('loner', { cpu: '1' }, apart(labelKeys.hostname))
    const result = plan(snapshotFor({ pods: [loner, labelled('other', {}, { cpu: '500m' })] }))
    expect(launchesOf(result)).toEqual(['default: loner', 'default: other'])
  })
})

describe('planProvisioning: pods that are refused', () => {
  test('P-ELG-07: a selector for a restricted label or an unknown capacity type refuses the pod alone', () => {
    const pods = [
      pendingPod('host', {}, { nodeSelector: { [labelKeys.hostname]: 'n' } }),
      pendingPod('cheap', {}, { nodeSelector: { [labelKeys.capacityType]: 'free' } }),
      pendingPod('fine'),
    ]
    const result = plan(snapshotFor({ pods }))
    expect(tagsOf(result)).toEqual(['cheap ignored: InvalidRequirement', 'host ignored: InvalidRequirement'])
    expect(launchesOf(result)).toEqual(['default: fine'])
  })

  test('P-ELG-06: a pod that wants no NodePool is left alone, by preference too', () => {
    const expressions = [{ key: labelKeys.nodePool, operator: 'DoesNotExist' as const }]
    const preferredNodeTerms = [{ weight: 1, term: { expressions, hasMatchFields: false } }]
    expect(tagsOf(plan(snapshotFor({ pods: [pendingPod('p', {}, { preferredNodeTerms })] })))).toEqual([
      'p ignored: OptedOut',
    ])
  })

  test('P-VTP-05: a missing claim refuses the pod, and waiting may help', () => {
    const volumes = [{ volumeName: 'data', claimName: 'gone' }]
    const result = plan(snapshotFor({ pods: [pendingPod('p', {}, { volumes })] }))
    expect(result.rejections[0]?.reasons).toEqual([
      { _tag: 'VolumeClaimRefused', claim: 'default/gone', problem: 'not found' },
    ])
    expect(result.rejections[0]?.mayResolveByWaiting).toBe(true)
  })

  test('P-QUE-07: a pod that claims devices is rejected and the others go on', () => {
    const pods = [pendingPod('devices', { cpu: '4' }, { usesDynamicResources: true }), pendingPod('plain')]
    const result = plan(snapshotFor({ pods }))
    expect(tagsOf(result)).toEqual(['devices unplaced: DynamicResources'])
    expect(launchesOf(result)).toEqual(['default: plain'])
  })

  test('P-TNT-05: taints need tolerating, startup taints do not', () => {
    const taint = { key: 'team', value: 'a', effect: 'NoSchedule' as const }
    expect(
      tagsOf(plan(snapshotFor({ pods: [pendingPod('p')], nodePools: [nodePool('default', { taints: [taint] })] }))),
    ).toEqual(['p unplaced: UntoleratedTaints'])
    const starting = plan(
      snapshotFor({ pods: [pendingPod('p')], nodePools: [nodePool('default', { startupTaints: [taint] })] }),
    )
    expect(starting.launches[0]?.startupTaints).toEqual([taint])
  })
})

describe('planProvisioning: what a launch says', () => {
  test('P-FIN-04, P-SCH-02: custom requirements become labels, simulation marks do not', () => {
    const nodePools = [
      nodePool('default', {
        requirements: [{ key: 'example.com/tier', operator: 'In', values: ['b', 'a'] }],
        labels: { constructor: 'x' },
      }),
    ]
    const [launch] = plan(snapshotFor({ pods: [pendingPod('p')], nodePools })).launches
    expect(launch?.labels).toEqual({
      constructor: 'x',
      'example.com/tier': 'a',
      [labelKeys.nodePool]: 'default',
      'test.example.com/testnodeclass': 'default',
    })
    expect([...(launch?.requirements.byKey.keys() ?? [])]).not.toContain(labelKeys.registered)
  })

  test('P-FIN-03: no more than 600 types, the cheapest', () => {
    const types = numbers(700).map((index) => instanceType(`t${index}`, 2 + index))
    const result = plan(snapshotFor({ pods: [pendingPod('p')], types }))
    expect(typesOf(result)).toHaveLength(600)
    expect(typesOf(result)?.at(-1)).toBe('t599')
  })

  test('requests are exact sums', () => {
    const pods = numbers(3).map((index) => pendingPod(`p${index}`, { cpu: '100m', memory: '0.5Gi' }))
    const requests = plan(snapshotFor({ pods })).launches[0]?.requests
    expect(requests && Quantity.toDecimal(Resources.get(requests, 'memory'))).toBe('1610612736')
  })
})

describe('startProvisioning', () => {
  test('steps give the same plan as one go, and each does a bounded piece', () => {
    const snapshot = snapshotFor({ pods: numbers(50).map((index) => pendingPod(`p${index}`)) })
    const run = startProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })
    let steps = 0
    while (!run.step(1)) steps += 1
    expect(steps).toBeGreaterThan(50)
    expect(run.finish()).toEqual(plan(snapshot, 'first-fit'))
    expect(run.step(1)).toBe(true)
  })
})
