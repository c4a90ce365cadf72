import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { podKey, StateNodes, type Pod, type PodConstraints, type Snapshot } from '../cluster/index.ts'
import { labelKeys, Labels } from '../labels/index.ts'
import { Resources } from '../quantity/index.ts'
import { Requirements } from '../requirements/index.ts'
import { Taints } from '../taints/index.ts'
import {
  daemonSet,
  instanceType,
  nodePool,
  offering,
  pendingPod,
  snapshotFor,
  stateNode,
  unconstrained,
} from '../testing/index.ts'
import { planProvisioning } from './plan-provisioning.ts'
import type { ProvisioningPlan, Strategy } from './plan.ts'

// A small universe, dense in coincidences: a few sizes, two zones, two applications, one taint, one custom label.
const app = fc.constantFrom('web', 'db')
const selector = app.map((value) => ({ matchLabels: { app: value } }))
const topologyKey = fc.constantFrom(labelKeys.zone, labelKeys.hostname, labelKeys.capacityType)
const taint = { key: 'team', value: 'a', effect: 'NoSchedule' as const }
const softTaint = { key: 'team', value: 'b', effect: 'PreferNoSchedule' as const }

const expression = fc.oneof(
  fc.record({
    key: fc.constant(labelKeys.zone),
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
  }),
  fc.record({
    key: fc.constant('example.com/tier'),
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.subarray(['gold', 'tin'], { minLength: 1 }),
  }),
  fc.record({
    key: fc.constant('example.com/tier'),
    operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
  }),
)
const term = fc
  .array(expression, { minLength: 1, maxLength: 2 })
  .map((expressions) => ({ expressions, hasMatchFields: false }))
const podTerm = fc.record({ topologyKey, labelSelector: selector, namespaces: fc.constant([]) })
const sometimes = <A>(arbitrary: fc.Arbitrary<A>) => fc.array(arbitrary, { maxLength: 1 })

const constraints: fc.Arbitrary<PodConstraints> = fc.record({
  nodeSelector: fc.constantFrom({}, {}, { [labelKeys.zone]: 'b' }, { 'example.com/tier': 'gold' }),
  requiredNodeTerms: fc.array(term, { maxLength: 2 }),
  preferredNodeTerms: sometimes(fc.record({ weight: fc.integer({ min: 1, max: 3 }), term })),
  tolerations: fc.constantFrom([], [{ operator: 'Exists' as const }]),
  topologySpread: sometimes(
    fc.record({
      topologyKey,
      maxSkew: fc.integer({ min: 1, max: 2 }),
      whenUnsatisfiable: fc.constantFrom('DoNotSchedule' as const, 'ScheduleAnyway' as const),
      labelSelector: selector,
      matchLabelKeys: fc.constant([]),
      nodeAffinityPolicy: fc.constantFrom('Honor' as const, 'Ignore' as const),
      nodeTaintsPolicy: fc.constantFrom('Honor' as const, 'Ignore' as const),
    }),
  ),
  podAffinity: fc.record({ required: sometimes(podTerm), preferred: fc.constant([]) }),
  podAntiAffinity: fc.record({ required: sometimes(podTerm), preferred: fc.constant([]) }),
  hostPorts: fc.constantFrom([], [], [], [{ ip: '0.0.0.0', port: 80, protocol: 'TCP' }]),
  volumes: fc.constant([]),
  usesDynamicResources: fc.constant(false),
})
// Half of the pods are plain, as in life; otherwise hardly anything ever fits.
const someConstraints = fc.oneof(fc.constant(unconstrained), constraints)

const podsOf = (prefix: string, maxLength: number) =>
  fc
    .array(fc.record({ cpu: fc.constantFrom('100m', '1', '1500m', '3'), app, constraints: someConstraints }), {
      maxLength,
    })
    .map((specs) =>
      specs.map((spec, index) =>
        pendingPod(`${prefix}${index}`, { cpu: spec.cpu, memory: '1Gi' }, spec.constraints, {
          labels: { app: spec.app },
        }),
      ),
    )

const types = [
  instanceType('small', 2, { offerings: [offering('a', 'spot', 1), offering('a', 'on-demand', 2)] }),
  instanceType('medium', 4),
  instanceType('large', 8, { offerings: [offering('b', 'spot', 3), offering('c', 'on-demand', 8)] }),
]

const nodePools = fc
  .tuple(
    fc.constantFrom({}, { limits: Resources.parse({ nodes: '2' }) }, { limits: Resources.parse({ cpu: '9' }) }),
    fc.constantFrom({}, { taints: [taint] }, { taints: [softTaint] }, { labels: { 'example.com/tier': 'gold' } }),
    fc.boolean(),
  )
  .map(([limits, rest, hasSpare]) => [
    nodePool('first', { weight: 2, ...limits, ...rest }),
    ...(hasSpare ? [nodePool('spare', { limits: Resources.parse({ nodes: '1', cpu: '8' }) })] : []),
  ])

const nodes = fc
  .array(
    fc.record({
      zone: fc.constantFrom('a', 'b'),
      cpu: fc.constantFrom('2', '4'),
      tier: fc.boolean(),
      pods: podsOf('bound', 2),
    }),
    {
      maxLength: 3,
    },
  )
  .map((specs) =>
    specs.map(({ zone, cpu, tier, pods }, index) =>
      stateNode(
        `n${index}`,
        { cpu, memory: '16Gi' },
        {
          labels: { [labelKeys.zone]: zone, ...(tier ? { 'example.com/tier': 'gold' } : {}) },
          pods: pods.map((pod) => ({
            ...pod,
            name: `${pod.name}-on-${index}`,
            uid: `${pod.uid}-on-${index}`,
            nodeName: `n${index}`,
            isUnschedulable: false,
            phase: 'Running' as const,
          })),
        },
      ),
    ),
  )

const snapshots = fc
  .record({ pods: podsOf('p', 8), nodePools, nodes, hasDaemon: fc.boolean() })
  .map(({ hasDaemon, ...parts }) =>
    snapshotFor({ ...parts, types, daemonSets: hasDaemon ? [daemonSet('agent', { cpu: '200m' })] : [] }),
  )

const strategies: ReadonlyArray<Strategy> = ['reference', 'first-fit']
const plan = (snapshot: Snapshot, strategy: Strategy) =>
  planProvisioning(snapshot, { strategy, reservedOfferings: 'strict' })
const always = (check: (snapshot: Snapshot, result: ProvisioningPlan, strategy: Strategy) => void) => {
  for (const strategy of strategies) {
    fc.assert(
      fc.property(snapshots, (snapshot) => check(snapshot, plan(snapshot, strategy), strategy)),
      { numRuns: 150 },
    )
  }
}

const canBeRelaxed = ({ requiredNodeTerms, preferredNodeTerms, topologySpread }: PodConstraints): boolean =>
  requiredNodeTerms.length > 1 ||
  preferredNodeTerms.length > 0 ||
  topologySpread.some(({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway')

const sumOf = (pods: ReadonlyArray<Pod>) => Resources.add(...pods.map(({ requests }) => requests))
const allowedBy = (pod: Pod, labels: Requirements, allowUndefined: ReadonlySet<string>) => {
  const selected = Requirements.fromLabels(pod.constraints.nodeSelector)
  const { requiredNodeTerms } = pod.constraints
  return (requiredNodeTerms.length === 0 ? [{ expressions: [] }] : requiredNodeTerms).some(({ expressions }) => {
    return (
      Requirements.isCompatible(labels, selected, allowUndefined) &&
      expressions.every((one) => Requirements.isCompatible(labels, Requirements.fromSpecs([one]), allowUndefined))
    )
  })
}

describe('planProvisioning: safety', () => {
  test('every pod is placed once or rejected once', () => {
    always((snapshot, { launches, placements, rejections }) => {
      const answered = [
        ...launches.flatMap(({ pods }) => pods),
        ...placements.flatMap(({ pods }) => pods),
        ...rejections.map(({ pod }) => pod),
      ]
      expect(answered.map(podKey).sort()).toEqual(snapshot.pods.map(podKey).sort())
    })
  })

  test('nothing is over-committed: not a node, and not any type that a launch may become', () => {
    always((snapshot, { launches, placements }) => {
      for (const { node, pods } of placements) {
        const state = snapshot.nodes.find(({ name }) => name === node)
        expect(state && Resources.fits(sumOf([...pods, ...state.pods]), StateNodes.allocatableOf(state))).toBe(true)
      }
      for (const { pods, instanceTypes } of launches) {
        for (const { capacity, overhead } of instanceTypes) {
          expect(Resources.fits(sumOf(pods), Resources.subtract(capacity, overhead.kubeReserved))).toBe(true)
        }
      }
    })
  })

  test('no pod goes where its taints, selector or required affinity forbid', () => {
    always((snapshot, { launches, placements }, strategy) => {
      // The reference places pods that contradict themselves (W16).
      if (strategy === 'reference') return
      const { wellKnown } = snapshot.labelRules.knowledge
      for (const { node, pods } of placements) {
        const state = snapshot.nodes.find(({ name }) => name === node)!
        const labels = Requirements.fromLabels(StateNodes.labelsOf(state))
        for (const pod of pods) expect(allowedBy(pod, labels, new Set())).toBe(true)
      }
      for (const { pods, requirements, taints } of launches) {
        for (const pod of pods) {
          expect(allowedBy(pod, requirements, wellKnown)).toBe(true)
          const hard = taints.filter(({ effect }) => effect !== 'PreferNoSchedule')
          expect(Taints.areTolerated(hard, pod.constraints.tolerations)).toBe(true)
        }
      }
    })
  })

  test('no two pods of a node want one host port, and none is with one that its anti-affinity keeps off the host', () => {
    always((snapshot, { launches, placements }) => {
      const groups = [
        ...launches.map(({ pods }) => pods as ReadonlyArray<Pod>),
        ...placements.map(({ node, pods }) => [
          ...pods,
          ...(snapshot.nodes.find(({ name }) => name === node)?.pods ?? []),
        ]),
      ]
      for (const pods of groups) {
        const isNew = (pod: Pod) => pod.nodeName === undefined
        const ports = pods.filter(({ constraints: { hostPorts } }) => hostPorts.length > 0)
        if (ports.some(isNew)) expect(ports).toHaveLength(1)
        for (const pod of pods) {
          for (const { topologyKey: key, labelSelector } of pod.constraints.podAntiAffinity.required) {
            if (key !== labelKeys.hostname) continue
            const others = pods.filter(
              (other) =>
                other !== pod &&
                (isNew(pod) || isNew(other)) &&
                Labels.get(other.labels, 'app') === labelSelector?.matchLabels?.['app'],
            )
            expect(others).toEqual([])
          }
        }
      }
    })
  })

  test('first-fit never exceeds a limit of a NodePool', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const { launches } = plan(snapshot, 'first-fit')
        for (const { name, limits = {} } of snapshot.nodePools) {
          const own = launches.filter((launch) => launch.nodePool === name)
          const most = own.map(({ instanceTypes }) => Resources.max(...instanceTypes.map(({ capacity }) => capacity)))
          const used = Resources.add(...most, Resources.parse({ nodes: String(own.length) }))
          for (const resource of Object.keys(limits)) {
            const within = { [resource]: Resources.get(used, resource) }
            expect(Resources.fits(within, limits)).toBe(true)
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  test('the input is not written to', () => {
    always((snapshot, _, strategy) => {
      const before = structuredClone(snapshot)
      plan(snapshot, strategy)
      expect(snapshot).toEqual(before)
    })
  })

  test('the order of the lists does not matter', () => {
    always((snapshot, result, strategy) => {
      const reversed = <A>(list: ReadonlyArray<A>) => [...list].reverse()
      const shuffled: Snapshot = {
        ...snapshot,
        pods: reversed(snapshot.pods),
        nodes: reversed(snapshot.nodes).map((state) => ({ ...state, pods: reversed(state.pods) })),
        nodePools: reversed(snapshot.nodePools),
        daemonSets: reversed(snapshot.daemonSets),
      }
      expect(plan(shuffled, strategy)).toEqual(result)
    })
  })
})

describe('planProvisioning: progress', () => {
  test('a pod that a fresh pass would place alone in the unlimited pool is not left over for want of trying', () => {
    fc.assert(
      fc.property(podsOf('p', 6), (pods) => {
        const plain = pods.map((pod) => ({ ...pod, constraints: unconstrained }))
        const { rejections } = plan(snapshotFor({ pods: plain, types }), 'first-fit')
        expect(rejections).toEqual([])
      }),
    )
  })

  test('the pods that are left over would be left over again', () => {
    always((full, _, strategy) => {
      // Alone and with nothing else placed, each still fails, unless others or limits stood in its way.
      const snapshot = { ...full, nodes: [] }
      for (const { pod, reasons, mayResolveByWaiting } of plan(snapshot, strategy).rejections) {
        if (mayResolveByWaiting || reasons.some(({ _tag }) => _tag === 'HostPortsTaken')) continue
        // Reasons are those of the last step of relaxation; an earlier one may have failed for others' sake.
        if (canBeRelaxed(pod.constraints)) continue
        expect(plan({ ...snapshot, pods: [pod] }, strategy).rejections.map((one) => podKey(one.pod))).toEqual([
          podKey(pod),
        ])
      }
    })
  })

  test('labels named after members of Object.prototype are only labels', () => {
    const labels = { constructor: 'y', toString: 'x' } as unknown as Labels
    const pool = nodePool('default', { labels })
    const pod = pendingPod('p', { cpu: '1' }, { nodeSelector: labels })
    expect(plan(snapshotFor({ pods: [pod], nodePools: [pool] }), 'first-fit').launches).toHaveLength(1)
    const other = pendingPod('q', { cpu: '1' }, { nodeSelector: { valueOf: 'z' } as unknown as Labels })
    expect(plan(snapshotFor({ pods: [other], nodePools: [pool] }), 'first-fit').launches).toHaveLength(0)
  })

  test('speed: 2,000 pods of forty sizes and 200 types plan within seconds on any machine', () => {
    const many = Array.from({ length: 200 }, (_, index) => instanceType(`t${index}`, 2 + (index % 60)))
    const pods = Array.from({ length: 2000 }, (_, index) =>
      pendingPod(`p${index}`, { cpu: `${100 + (index % 40) * 50}m`, memory: '1Gi' }),
    )
    const { stats, rejections } = plan(snapshotFor({ pods, types: many }), 'first-fit')
    expect(rejections).toEqual([])
    // One attempt for each pod: none is tried twice, and equal pods share one class.
    expect(stats).toMatchObject({ pods: 2000, classes: 40, attempts: 2000 })
  })
})
