import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'

import type { NodeObject, PodObject, PodSpec } from '../objects.ts'
import { clusterState, type ClusterState } from './cluster-state.ts'
import { filters } from './filters.ts'

const zone = 'zone'
const nodeNames = ['n0', 'n1', 'n2']
const podNames = ['p0', 'p1', 'p2', 'p3', 'p4']

const node = (name: string, zoneValue: string, isTainted: boolean): NodeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '', labels: { [zone]: zoneValue } },
  spec: { taints: isTainted ? [{ key: 'x', effect: 'NoSchedule' }] : [] },
  status: { allocatable: { cpu: '4', pods: '9' } },
})

const specs: ReadonlyArray<PodSpec> = [
  { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
  {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: zone,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'a' } },
        nodeTaintsPolicy: 'Honor',
      },
    ],
  },
  {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: zone, labelSelector: { matchLabels: { app: 'a' } } },
        ],
      },
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: zone, labelSelector: { matchLabels: { app: 'b' } } },
        ],
      },
    },
  },
]

const pod = (name: string, spec: PodSpec, app: string, isTerminating: boolean): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: '',
    labels: { app },
    ...(isTerminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec,
})

type Step =
  | { readonly _tag: 'Node'; readonly name: string; readonly zone: string; readonly isTainted: boolean }
  | { readonly _tag: 'NodeGone'; readonly name: string }
  | { readonly _tag: 'Pod'; readonly pod: PodObject; readonly node: string }
  | { readonly _tag: 'PodGone'; readonly name: string }

const nodeName = fc.constantFrom(...nodeNames)
const podName = fc.constantFrom(...podNames)
const aPod = fc
  .tuple(podName, fc.constantFrom(...specs), fc.constantFrom('a', 'b', 'c'), fc.boolean())
  .map(([name, spec, app, isTerminating]) => pod(name, spec, app, isTerminating))
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    _tag: fc.constant('Node' as const),
    name: nodeName,
    zone: fc.constantFrom('a', 'b'),
    isTainted: fc.boolean(),
  }),
  fc.record({ _tag: fc.constant('NodeGone' as const), name: nodeName }),
  fc.record({ _tag: fc.constant('Pod' as const), pod: aPod, node: nodeName }),
  fc.record({ _tag: fc.constant('PodGone' as const), name: podName }),
)

const newcomers = specs.flatMap((spec) => ['a', 'b', 'c'].map((app) => pod('new', spec, app, false)))

/** What each newcomer would hear on each node. */
const verdicts = (state: ClusterState) => {
  const { trial } = filters(state)
  return newcomers.map((newcomer) => {
    const { check } = trial(state.classOf(newcomer))
    return Object.fromEntries(
      state
        .nodes()
        .map((one) => [one.name, check(one)?.reasons ?? []] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  })
}

test('totals and counts kept step by step equal those of a state built anew', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const state = clusterState(() => ({}))
      // Made at the start, the counters have to follow every step.
      verdicts(state)
      const nodes = new Map<string, NodeObject>()
      const pods = new Map<string, { readonly pod: PodObject; readonly node: string }>()
      for (const one of steps) {
        switch (one._tag) {
          case 'Node': {
            const object = node(one.name, one.zone, one.isTainted)
            nodes.set(one.name, object)
            state.setNode(object)
            break
          }
          case 'NodeGone':
            nodes.delete(one.name)
            state.removeNode(one.name)
            break
          case 'Pod':
            pods.set(one.pod.metadata.name, one)
            state.place(one.pod, one.node)
            break
          case 'PodGone':
            pods.delete(one.name)
            state.unplace(`default/${one.name}`)
            break
        }
      }
      const anew = clusterState(() => ({}))
      for (const object of nodes.values()) anew.setNode(object)
      for (const placed of pods.values()) anew.place(placed.pod, placed.node)
      expect(verdicts(state)).toEqual(verdicts(anew))
      const cpuOf = (from: ClusterState, name: string) => from.node(name)?.requested[from.columnOf('cpu')] ?? 0
      for (const { name, pods: present } of anew.nodes()) {
        expect(cpuOf(state, name)).toBe(cpuOf(anew, name))
        expect(state.node(name)?.pods.size).toBe(present.size)
      }
    }),
    { numRuns: 300 },
  )
})
