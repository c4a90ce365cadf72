import type { Condition, Pod, PodConstraints, StateNode } from '../cluster/index.ts'
import { labelKeys } from '../labels/index.ts'
import { pendingPod, stateNode } from './planning.ts'

const isTrue = (type: string, lastTransitionAtMs = 0): Condition => ({
  type,
  status: 'True',
  reason: type,
  message: '',
  lastTransitionAtMs,
})

/** A pod that runs; `managedNode` binds it. */
export const runningPod = (
  name: string,
  requests: Readonly<Record<string, string>> = { cpu: '1' },
  constraints: Partial<PodConstraints> = {},
  rest: Partial<Pod> = {},
): Pod =>
  pendingPod(name, requests, constraints, {
    phase: 'Running',
    isUnschedulable: false,
    isReady: true,
    owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'set', uid: 'uid-set' },
    ...rest,
  })

export interface ManagedNode {
  readonly poolName?: string
  readonly type?: string
  readonly cpu?: number
  readonly zone?: string
  readonly capacityType?: string
  readonly pods?: ReadonlyArray<Pod>
  readonly labels?: Readonly<Record<string, string>>
  readonly conditions?: ReadonlyArray<string>
  readonly driftedAtMs?: number
  readonly rest?: Partial<StateNode>
  readonly claim?: Partial<NonNullable<StateNode['claim']>>
}

/** A node that disruption may look at: managed, initialized, Ready, consolidatable, of NodePool `default`. */
export const managedNode = (name: string, parts: ManagedNode = {}): StateNode => {
  const { type = 'large', cpu = 8, zone = 'a', capacityType = 'on-demand', poolName = 'default', pods = [] } = parts
  const labels = {
    [labelKeys.nodePool]: poolName,
    [labelKeys.instanceType]: type,
    [labelKeys.zone]: zone,
    [labelKeys.capacityType]: capacityType,
    [labelKeys.arch]: 'amd64',
    [labelKeys.os]: 'linux',
    ...parts.labels,
  }
  const state = stateNode(name, { cpu: `${cpu * 1000 - 100}m`, memory: `${cpu * 4}Gi` }, { labels })
  const { node } = state
  return {
    ...state,
    ...(node === undefined ? {} : { node: { ...node, conditions: [isTrue('Ready')] } }),
    isManaged: true,
    pods: pods.map((pod) => ({ ...pod, nodeName: name })),
    claim: {
      name: `${name}-claim`,
      uid: `uid-${name}-claim`,
      generation: 1,
      resourceVersion: '1',
      finalizers: [],
      nodeName: name,
      labels,
      annotations: {},
      nodeClass: { group: 'test.example.com', kind: 'TestNodeClass', name: 'default' },
      requirements: [],
      requests: {},
      taints: [],
      startupTaints: [],
      capacity: {},
      allocatable: {},
      createdAtMs: 0,
      conditions: [
        ...(parts.conditions ?? ['Launched', 'Registered', 'Initialized', 'Consolidatable']).map((one) => isTrue(one)),
        ...(parts.driftedAtMs === undefined ? [] : [isTrue('Drifted', parts.driftedAtMs)]),
      ],
      ...parts.claim,
    },
    ...parts.rest,
  }
}
