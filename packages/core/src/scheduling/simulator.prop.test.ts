import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import { podKey, type Pod, type PodConstraints, type Snapshot } from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import { instanceType, managedNode, nodePool, offering, pendingPod, runningPod, snapshotFor } from '../testing/index.ts'
import { isProvisionable, loadSimulator, planProvisioning, type Simulation, type Strategy } from './index.ts'

const app = (name: string) => ({ matchLabels: { app: name } })
const term = (topologyKey: string, name: string) => ({ topologyKey, labelSelector: app(name), namespaces: [] })

const spread = (topologyKey: string, name: string, whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway') => ({
  topologyKey,
  labelSelector: app(name),
  whenUnsatisfiable,
  maxSkew: 1,
  matchLabelKeys: [],
  nodeAffinityPolicy: 'Honor' as const,
  nodeTaintsPolicy: 'Ignore' as const,
})

// A NodePool behind a taint has a zone of its own: which zones count depends on what tolerates it (W20).
const taint = { key: 'team', value: 'x', effect: 'NoSchedule' } as const
const tolerant = { tolerations: [{ key: 'team', operator: 'Exists' as const }] }
const remote = { offerings: [offering('c', 'on-demand', 3)] }

// The ways in which what one pod does limits another.
const constraintsOf = (kind: number, name: string): Partial<PodConstraints> => {
  switch (kind) {
    case 1:
      return { topologySpread: [spread(labelKeys.zone, name, 'DoNotSchedule')] }
    case 2:
      return { topologySpread: [spread(labelKeys.hostname, name, 'DoNotSchedule')] }
    case 3:
      return { podAntiAffinity: { required: [term(labelKeys.hostname, name)], preferred: [] } }
    case 4:
      return { podAffinity: { required: [term(labelKeys.zone, name)], preferred: [] } }
    case 5:
      return { topologySpread: [spread(labelKeys.zone, name, 'ScheduleAnyway')] }
    case 6:
      return { podAntiAffinity: { required: [], preferred: [{ weight: 1, term: term(labelKeys.zone, name) }] } }
    case 7:
      return { hostPorts: [{ ip: '0.0.0.0', port: 80, protocol: 'TCP' }] }
    case 8:
      return {
        topologySpread: [spread(labelKeys.zone, name, 'DoNotSchedule')],
        requiredNodeTerms: ['a', 'b'].map((zone) => ({
          expressions: [{ key: labelKeys.zone, operator: 'In' as const, values: [zone] }],
          hasMatchFields: false,
        })),
      }
    default:
      return {}
  }
}

interface Drawn {
  readonly cpu: number
  readonly kind: number
  readonly app: number
  readonly tolerates: boolean
}
const drawnPod = fc.record({
  cpu: fc.integer({ min: 1, max: 3 }),
  kind: fc.nat(8),
  app: fc.nat(2),
  tolerates: fc.boolean(),
})
const drawnCluster = fc.record({
  nodes: fc.array(
    fc.record({
      zone: fc.constantFrom('a', 'b'),
      isDeleting: fc.integer({ min: 0, max: 5 }).map((one) => one === 0),
      pods: fc.array(drawnPod, { maxLength: 3 }),
    }),
    { minLength: 2, maxLength: 5 },
  ),
  pending: fc.array(drawnPod, { maxLength: 2 }),
  limit: fc.constantFrom(undefined, '6', '40'),
  hasRemotePool: fc.boolean(),
  sets: fc.array(fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 4 }),
})

const podOf = (make: typeof runningPod, name: string, { cpu, kind, app: number, tolerates }: Drawn): Pod =>
  make(
    name,
    { cpu: String(cpu) },
    { ...constraintsOf(kind, `app-${number}`), ...(tolerates ? tolerant : {}) },
    { labels: { app: `app-${number}` } },
  )

const types = [instanceType('small', 2), instanceType('medium', 4), instanceType('large', 8)]

const snapshotOf = ({
  nodes,
  pending,
  limit,
  hasRemotePool,
}: typeof drawnCluster extends fc.Arbitrary<infer A> ? A : never): Snapshot =>
  snapshotFor({
    nodePools: [
      nodePool('default', limit === undefined ? {} : { limits: { cpu: limit } as never }),
      ...(hasRemotePool ? [nodePool('remote', { taints: [taint] })] : []),
    ],
    instanceTypes: new Map([
      ['default', types],
      ['remote', [instanceType('far', 4, remote)]],
    ]),
    nodes: nodes.map(({ zone, isDeleting, pods }, index) =>
      managedNode(`node-${index}`, {
        zone,
        pods: pods.map((pod, slot) => podOf(runningPod, `pod-${index}-${slot}`, pod)),
        rest: { isMarkedForDeletion: isDeleting },
      }),
    ),
    pods: pending.map((pod, index) => podOf(pendingPod, `pending-${index}`, pod)),
  })

const optionsFor = (strategy: Strategy) =>
  ({ strategy, keepsRestingNodes: false, reservedOfferings: 'fallback' }) as const

const inWords = ({ launches, homeless }: Simulation) => ({
  launches: launches.map(({ launch, offer }) => {
    const { pods, instanceTypes } = launch(offer)
    return `${pods.map(podKey).sort().join(' ')}: ${instanceTypes.map(({ name }) => name).join(' ')}`
  }),
  homeless: homeless.map(({ pod }) => podKey(pod)).sort(),
})

// What provisioning does once the nodes are on their way out is what a simulation must foresee.
const afterTheFact = (snapshot: Snapshot, gone: ReadonlyArray<string>, strategy: Strategy) => {
  const nodes = snapshot.nodes.map((state) =>
    gone.includes(state.name) ? { ...state, isMarkedForDeletion: true } : state,
  )
  const plan = planProvisioning({ ...snapshot, nodes }, optionsFor(strategy))
  return {
    launches: plan.launches.map(
      ({ pods, instanceTypes }) =>
        `${pods.map(podKey).sort().join(' ')}: ${instanceTypes.map(({ name }) => name).join(' ')}`,
    ),
    homeless: plan.rejections
      .filter(({ pod }) => !isProvisionable(pod))
      .map(({ pod }) => podKey(pod))
      .sort(),
  }
}

describe('loadSimulator()', () => {
  test.each(['reference', 'first-fit'] as const)(
    'D-SIM-01, D-SIM-02: one loaded cluster foresees for any nodes what a pass without them would do (%s)',
    (strategy) => {
      fc.assert(
        fc.property(drawnCluster, (drawn) => {
          const snapshot = snapshotOf(drawn)
          const simulator = loadSimulator(snapshot, optionsFor(strategy))
          const staying = snapshot.nodes.filter(({ isMarkedForDeletion }) => !isMarkedForDeletion)
          fc.pre(staying.length > 0)
          for (const set of drawn.sets) {
            const gone = [...new Set(set.map((index) => staying[index % staying.length]!.name))]
            expect(inWords(simulator.without(gone))).toEqual(afterTheFact(snapshot, gone, strategy))
          }
        }),
        { numRuns: 300 },
      )
    },
  )
})
