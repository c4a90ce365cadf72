import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import {
  StateNodes,
  type NodePool,
  type Pod,
  type PodConstraints,
  type Snapshot,
  type StateNode,
} from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { labelKeys } from '../labels/index.ts'
import { Resources, type ResourceList } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { Taints, type Taint } from '../taints/index.ts'
import {
  apart,
  decide,
  inZone,
  instanceType,
  isIn,
  near,
  nodePool,
  offering,
  pod,
  preferring,
  requiring,
  runningOn,
  selecting,
  softSpread,
  spread,
  stateNode,
  usingPort,
  web,
} from '../testing/index.ts'
import type { ProvisioningPlan } from './plan.ts'

const { zone } = labelKeys
const tier = 'example.com/tier'
const taint: Taint = { key: 'team', value: 'x', effect: 'NoSchedule' }
const soft: Taint = { key: 'team', value: 'y', effect: 'PreferNoSchedule' }

const types = [
  instanceType('small', 2, { offerings: [offering('a', 'spot', 1), offering('b', 'on-demand', 2)] }),
  instanceType('medium', 4, { offerings: [offering('a', 'on-demand', 4)] }),
  instanceType('large', 8, { offerings: [offering('b', 'spot', 5), offering('c', 'on-demand', 8)] }),
]

// --- whether a pod could go somewhere, said without the planner --------------------------------------------------------

const sum = (pods: ReadonlyArray<Pod>) => Resources.add(...pods.map(({ requests }) => requests))
const fits = (pods: ReadonlyArray<Pod>, room: ResourceList) => Resources.fits(sum(pods), room)

/** What the pod may ask for, one entry for each alternative that does not contradict itself. */
const demandsOf = ({ constraints: { nodeSelector, requiredNodeTerms } }: Pod): ReadonlyArray<Requirements> => {
  const selector = Requirements.fromLabels(nodeSelector)
  const terms = requiredNodeTerms.length === 0 ? [{ expressions: [] }] : requiredNodeTerms
  return terms.flatMap(({ expressions }) => {
    const demand = Requirements.and(selector, Requirements.fromSpecs(expressions))
    const parts = [selector, ...expressions.map((one) => Requirements.fromSpecs([one]))]
    const isContradiction = parts.some((part) =>
      [...part.byKey].some(
        ([key, one]) =>
          !Requirement.allowsAbsence(one) && Requirement.operatorOf(Requirements.get(demand, key)) === 'DoesNotExist',
      ),
    )
    return isContradiction ? [] : [demand]
  })
}

const tolerates = (taints: ReadonlyArray<Taint>, { constraints: { tolerations } }: Pod) =>
  Taints.areTolerated(
    taints.filter(({ effect }) => effect !== 'PreferNoSchedule'),
    tolerations,
  )

const sharesPort = (one: Pod, others: ReadonlyArray<Pod>) =>
  one.constraints.hostPorts.length > 0 && others.some(({ constraints }) => constraints.hostPorts.length > 0)

const couldJoinNode = (one: Pod, state: StateNode, placed: ReadonlyArray<Pod>): boolean => {
  const others = [...state.pods, ...placed]
  const labels = Requirements.fromLabels(StateNodes.labelsOf(state))
  return (
    tolerates(StateNodes.taintsOf(state), one) &&
    !sharesPort(one, others) &&
    fits([...others, one], StateNodes.allocatableOf(state)) &&
    demandsOf(one).some((demand) => Requirements.isCompatible(labels, demand, new Set()))
  )
}

const someTypeTakes = (
  candidates: ReadonlyArray<InstanceType>,
  pods: ReadonlyArray<Pod>,
  supply: Requirements,
  demand: Requirements,
  wellKnown: ReadonlySet<string>,
): boolean => {
  if (!Requirements.isCompatible(supply, demand, wellKnown)) return false
  const both = Requirements.and(supply, demand)
  return candidates.some(
    ({ requirements, offerings, capacity, overhead }) =>
      Requirements.intersects(both, requirements) &&
      offerings.some((one) => Requirements.isCompatible(both, one.requirements, wellKnown)) &&
      fits(pods, Resources.subtract(capacity, overhead.kubeReserved)),
  )
}

const couldJoinLaunch = (one: Pod, launch: ProvisioningPlan['launches'][number], wellKnown: ReadonlySet<string>) =>
  tolerates(launch.taints, one) &&
  !sharesPort(one, launch.pods) &&
  demandsOf(one).some((demand) =>
    someTypeTakes(launch.instanceTypes, [...launch.pods, one], launch.requirements, demand, wellKnown),
  )

const couldLaunch = (
  one: Pod,
  pool: NodePool,
  { launches }: ProvisioningPlan,
  wellKnown: ReadonlySet<string>,
): boolean => {
  const own = launches.filter(({ nodePool: name }) => name === pool.name)
  const { limits } = pool
  const charged = Resources.add(
    ...own.map(({ instanceTypes }) => Resources.max(...instanceTypes.map(({ capacity }) => capacity))),
  )
  const isWithin = ({ capacity }: InstanceType) => {
    const used = Resources.add(charged, capacity, Resources.parse({ nodes: String(own.length + 1) }))
    return Object.keys(limits ?? {}).every((name) =>
      Resources.fits({ [name]: Resources.get(used, name) }, limits ?? {}),
    )
  }
  const supply = Requirements.and(Requirements.fromSpecs(pool.requirements), Requirements.fromLabels(pool.labels))
  return (
    tolerates(pool.taints, one) &&
    demandsOf(one).some((demand) => someTypeTakes(types.filter(isWithin), [one], supply, demand, wellKnown))
  )
}

// --- scenes -----------------------------------------------------------------------------------------------------------

const expression = fc.constantFrom(
  isIn(zone, 'a'),
  isIn(zone, 'b', 'c'),
  isIn(zone, 'nowhere'),
  isIn(tier, 'gold'),
  { key: tier, operator: 'NotIn' as const, values: ['gold'] },
  { key: tier, operator: 'DoesNotExist' as const },
)
const constraints: fc.Arbitrary<ReadonlyArray<Partial<PodConstraints>>> = fc.tuple(
  fc.constantFrom({}, {}, inZone('b'), selecting({ [tier]: 'gold' })),
  fc.array(fc.array(expression, { minLength: 1, maxLength: 1 }), { maxLength: 3 }).map((terms) => requiring(...terms)),
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 3 }), expression), { maxLength: 2 })
    .map((wishes) => preferring(...wishes)),
  fc.constantFrom({}, {}, usingPort(80)),
  fc.constantFrom({}, { tolerations: [{ operator: 'Exists' as const }] }),
)
const pods = fc
  .array(fc.tuple(fc.constantFrom('100m', '1', '1500m', '3', '7'), constraints), { minLength: 1, maxLength: 9 })
  .map((list) => list.map(([cpu, parts], index) => pod(`p${index}`, cpu, ...parts)))
const nodePools = fc
  .tuple(
    fc.constantFrom(
      {},
      { taints: [taint] },
      { taints: [soft] },
      { labels: { [tier]: 'gold' } },
      { requirements: [isIn(zone, 'a', 'b')] },
    ),
    fc.constantFrom({}, { nodes: '1' }, { nodes: '2' }, { cpu: '6' }, { cpu: '12' }),
  )
  .map(([rest, limits]) => [
    nodePool('first', { weight: 2, ...rest, limits: Resources.parse(limits) }),
    nodePool('spare', { limits: Resources.parse({ cpu: '8' }) }),
  ])
const nodes = fc
  .array(fc.tuple(fc.constantFrom('1', '2', '4'), fc.constantFrom('a', 'b'), fc.boolean()), { maxLength: 2 })
  .map((list) =>
    list.map(([cpu, where, isGold], index) =>
      stateNode(`n${index}`, { cpu }, { labels: { [zone]: where, ...(isGold ? { [tier]: 'gold' } : {}) } }),
    ),
  )

describe('planProvisioning: progress', () => {
  test('a pod that fits the final state, on a node, an open claim or a new one within limits, is never left over', () => {
    fc.assert(
      fc.property(fc.record({ pods, nodePools, nodes }), (scene) => {
        const { plan } = decide({ ...scene, types }, { strategy: 'first-fit' })
        const wellKnown = new Set(Object.values(labelKeys).filter((key) => key !== labelKeys.hostname))
        for (const { pod: left, verdict } of plan.rejections) {
          if (verdict !== 'unplaced') continue
          const placedOn = (name: string) => plan.placements.find(({ node }) => node === name)?.pods ?? []
          const places = [
            ...scene.nodes.filter((state) => couldJoinNode(left, state, placedOn(state.name))).map(({ name }) => name),
            ...plan.launches.filter((launch) => couldJoinLaunch(left, launch, wellKnown)).map(() => 'an open claim'),
            ...scene.nodePools
              .filter((pool) => couldLaunch(left, pool, plan, wellKnown))
              .map(({ name }) => `new of ${name}`),
          ]
          expect([left.name, ...places]).toEqual([left.name])
        }
      }),
      { numRuns: 600 },
    )
  })

  test('once pods are bound where a plan puts them, a second pass finds no place that the first overlooked', () => {
    const topology = fc.constantFrom(
      {},
      spread(zone),
      softSpread(zone),
      near(zone),
      apart(zone),
      near(labelKeys.hostname),
      apart(labelKeys.hostname),
      inZone('a'),
    )
    const several = fc
      .array(fc.tuple(fc.constantFrom('100m', '900m', '2'), fc.boolean(), topology), { minLength: 1, maxLength: 8 })
      .map((list) => list.map(([cpu, isWeb, rule], index) => (isWeb ? web : pod)(`p${index}`, cpu, rule)))
    fc.assert(
      fc.property(several, nodes, (waiting, present) => {
        const first = decide({ pods: waiting, nodes: present, types: [] }).plan
        const bound = present.map((state) => ({
          ...state,
          pods: (first.placements.find(({ node }) => node === state.name)?.pods ?? []).map((one) =>
            runningOn(state.name, one),
          ),
        }))
        const left = first.rejections.map((rejection) => rejection.pod)
        expect(decide({ pods: left, nodes: bound, types: [] }).placements).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

describe('planProvisioning: beside brute force', () => {
  // Every way to share pods out among nodes, each node of the cheapest type that holds its pods.
  const cheapest = (sizes: ReadonlyArray<number>, offers: ReadonlyArray<InstanceType>): number => {
    const priceOf = (total: number): number =>
      Math.min(
        ...offers
          .filter(({ name }) => Number(name.slice(1)) - 0.1 >= total - 1e-9)
          .map(({ offerings: [only] }) => only?.pricePerHour ?? Number.POSITIVE_INFINITY),
      )
    const share = (index: number, groups: ReadonlyArray<number>): number => {
      if (index === sizes.length) return groups.reduce((sumOf, total) => sumOf + priceOf(total), 0)
      const size = sizes[index] ?? 0
      let best = share(index + 1, [...groups, size])
      for (const [at, total] of groups.entries()) best = Math.min(best, share(index + 1, groups.with(at, total + size)))
      return best
    }
    return share(0, [])
  }

  const multisets = (count: number, from: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
    count === 0 ? [[]] : from.flatMap((size, at) => multisets(count - 1, from.slice(at)).map((rest) => [size, ...rest]))

  const priced = (prices: ReadonlyArray<number>) =>
    [2, 4, 8].map((cpu, index) =>
      instanceType(`t${cpu}`, cpu, { offerings: [offering('a', 'on-demand', prices[index] ?? 0)] }),
    )

  test.each([
    // Prices in proportion, with a discount for size, and with a premium for it; then the gap measured.
    ['by size', [2, 4, 8], { mean: 1.07, worst: 1.33 }],
    ['cheaper in bulk', [2, 3.6, 6.4], { mean: 1.04, worst: 1.28 }],
    ['dearer in bulk', [2, 4.4, 9.6], { mean: 1.19, worst: 1.6 }],
  ])(
    'every set of up to 6 pods of four sizes on 3 types priced %s: dearer than the optimum by no more than this',
    (_, prices, gap) => {
      const offers = priced(prices)
      const ratios = [1, 2, 3, 4, 5, 6].flatMap((count) =>
        multisets(count, [0.5, 1.2, 1.9, 3.5]).map((sizes) => {
          const { plan } = decide(
            { types: offers, pods: sizes.map((size, index) => pod(`p${index}`, `${size * 1000}m`)) },
            { strategy: 'first-fit' },
          )
          expect(plan.rejections).toEqual([])
          const cost = plan.launches.reduce((total, { pricePerHour = 0 }) => total + pricePerHour, 0)
          return cost / cheapest(sizes, offers)
        }),
      )
      // No plan can beat the optimum: that would be one that does not hold its pods.
      expect(Math.min(...ratios)).toBeGreaterThanOrEqual(1 - 1e-9)
      const mean = ratios.reduce((total, ratio) => total + ratio, 0) / ratios.length
      expect({ mean: Number(mean.toFixed(2)), worst: Number(Math.max(...ratios).toFixed(2)) }).toEqual(gap)
    },
  )
})

describe('planProvisioning: bad input ends in a rejection for its pod alone', () => {
  const fine = pod('fine', '100m')
  const lost = (one: Pod, rest: Partial<Snapshot> = {}) => {
    const decision = decide({ ...rest, pods: [one, fine] }, { strategy: 'first-fit' })
    expect(decision.launches).toEqual(['default: fine'])
    return decision.rejections
  }

  test.each([
    [
      'requirements that contradict each other',
      pod('bad', '1', selecting({ [zone]: 'a' }), requiring([isIn(zone, 'b')])),
      'bad unplaced',
    ],
    [
      'a selector of pods that cannot parse',
      web(
        'bad',
        '1',
        near(zone, { labelSelector: { matchExpressions: [{ key: 'app', operator: 'Like', values: [] }] } }),
      ),
      'bad unplaced',
    ],
    ['a topology key that nobody has', web('bad', '1', spread('example.com/nowhere')), 'bad unplaced'],
    [
      'a volume that does not exist',
      pod('bad', '1', { volumes: [{ volumeName: 'v', claimName: 'gone' }] }),
      'bad ignored',
    ],
    ['affinity to itself in a label it does not have', pod('bad', '1', near(zone)), 'bad unplaced'],
    [
      'a resource that nobody has',
      { ...pod('bad'), requests: Resources.parse({ 'example.com/gpu': '1', pods: '1' }) },
      'bad unplaced',
    ],
    ['more than any machine has', pod('bad', '100000'), 'bad unplaced'],
  ])('%s', (_, one, expected) => {
    expect(lost(one)).toEqual([expect.stringContaining(expected)])
  })

  test('a custom label asked for twice over', () => {
    const pools = [nodePool('default', { requirements: [{ key: tier, operator: 'Exists' }] })]
    const bad = pod('bad', '1', selecting({ [tier]: 'gold' }), requiring([isIn(tier, 'tin')]))
    expect(lost(bad, { nodePools: pools })).toHaveLength(1)
  })
})
