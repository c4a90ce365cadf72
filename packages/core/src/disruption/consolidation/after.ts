import type { Pod, Snapshot, StateNode } from '../../cluster/index.ts'
import { allocatableOfType, capacityOfType } from '../../instance/index.ts'
import { labelKeys, type Labels } from '../../labels/index.ts'
import { Requirement, type Requirements } from '../../requirements/index.ts'
import { forecastLaunch, type Launch } from '../../scheduling/index.ts'
import type { Consolidation } from './consolidate.ts'

/**
 * The cluster once a consolidation is done and all is quiet: pods where the simulation put them, replacements of the
 * type that they ask for first, initialized and free to be consolidated.
 *
 * Cost: O(nodes + pods that wait or move).
 */
export const afterConsolidation = (
  { moved, replacements, placements }: Consolidation,
  snapshot: Snapshot,
): { readonly snapshot: Snapshot; readonly replacements: ReadonlySet<string> } => {
  const gone = new Set(moved.map(({ state }) => state.name))
  const arriving = new Map(placements.map(({ node, pods }) => [node, pods]))
  const placed = new Set(placements.flatMap(({ pods }) => pods))
  const nodes = snapshot.nodes.flatMap((state): ReadonlyArray<StateNode> => {
    if (gone.has(state.name) || state.isMarkedForDeletion) return []
    const pods = arriving.get(state.name)
    return [pods === undefined ? state : { ...state, pods: [...state.pods, ...boundTo(state.name, pods)] }]
  })
  const [first] = moved
  const launched = replacements.map(({ node, offer }, index) => {
    const launch = node.launch(offer.inOrder())
    for (const pod of launch.pods) placed.add(pod)
    return launchedNode(`${first?.state.name ?? ''}-replacement-${index + 1}`, launch, snapshot)
  })
  return {
    snapshot: { ...snapshot, nodes: [...nodes, ...launched], pods: snapshot.pods.filter((pod) => !placed.has(pod)) },
    replacements: new Set(launched.map(({ name }) => name)),
  }
}

const boundTo = (nodeName: string, pods: ReadonlyArray<Pod>): ReadonlyArray<Pod> =>
  pods.map((pod) => ({ ...pod, nodeName, phase: 'Running', isUnschedulable: false }))

const singleValues = ({ byKey }: Requirements): Labels =>
  Object.fromEntries(
    [...byKey].flatMap(([key, requirement]) => {
      const value = Requirement.singleValue(requirement)
      return value === undefined ? [] : [[key, value]]
    }),
  )

const launchedNode = (name: string, launch: Launch, snapshot: Snapshot): StateNode => {
  const { nowMs } = snapshot
  const { instanceType, offering } = forecastLaunch(launch, snapshot.labelRules.knowledge)
  const labels: Labels = {
    ...singleValues(launch.requirements),
    ...singleValues(instanceType.requirements),
    ...(offering === undefined ? {} : singleValues(offering.requirements)),
    ...launch.labels,
    [labelKeys.hostname]: name,
    [labelKeys.registered]: 'true',
    [labelKeys.initialized]: 'true',
  }
  const { taints } = launch
  const amounts = {
    capacity: capacityOfType(instanceType, offering),
    allocatable: allocatableOfType(instanceType, offering),
  }
  const isTrue = (type: string) =>
    ({ type, status: 'True', reason: type, message: '', lastTransitionAtMs: nowMs }) as const
  const pool = snapshot.nodePools.find((one) => one.name === launch.nodePool)
  return {
    name,
    providerId: `planned://${name}`,
    isManaged: true,
    isMarkedForDeletion: false,
    pods: boundTo(name, launch.pods),
    volumeLimits: new Map(),
    node: {
      name,
      uid: name,
      resourceVersion: '',
      labels,
      annotations: launch.annotations,
      taints,
      ...amounts,
      isUnschedulable: false,
      finalizers: [],
      ownerUids: [],
      kubeletVersion: '',
      createdAtMs: nowMs,
      conditions: [isTrue('Ready')],
    },
    claim: {
      name,
      uid: name,
      generation: 1,
      resourceVersion: '',
      finalizers: [],
      nodeName: name,
      labels,
      annotations: launch.annotations,
      nodeClass: pool?.nodeClass ?? { group: '', kind: '', name: '' },
      requirements: [],
      requests: launch.requests,
      taints,
      startupTaints: [],
      ...amounts,
      createdAtMs: nowMs,
      conditions: ['Launched', 'Registered', 'Initialized', 'Consolidatable'].map(isTrue),
    },
  }
}
