import {
  defaultPlanningSettings,
  type DaemonSet,
  type NodePool,
  type Pod,
  type PodConstraints,
  type Snapshot,
  type StateNode,
} from '../cluster/index.ts'
import type { InstanceType, Offering } from '../instance/index.ts'
import { coreLabelKnowledge, labelKeys, Labels } from '../labels/index.ts'
import { Resources } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'

/** The label that names a reservation in planning tests. */
export const reservationKey = 'test.example.com/reservation-id'

const knowledge = Labels.extend(coreLabelKnowledge, { wellKnown: [{ key: reservationKey }] })

/** No constraints at all. */
export const unconstrained: PodConstraints = {
  nodeSelector: {},
  requiredNodeTerms: [],
  preferredNodeTerms: [],
  tolerations: [],
  topologySpread: [],
  podAffinity: { required: [], preferred: [] },
  podAntiAffinity: { required: [], preferred: [] },
  hostPorts: [],
  volumes: [],
  usesDynamicResources: false,
}

/** A pending pod that asks for the given resources. */
export const pendingPod = (
  name: string,
  requests: Readonly<Record<string, string>> = { cpu: '1' },
  constraints: Partial<PodConstraints> = {},
  rest: Partial<Pod> = {},
): Pod => ({
  namespace: 'default',
  name,
  uid: `uid-${name}`,
  labels: {},
  createdAtMs: 0,
  phase: 'Pending',
  isUnschedulable: true,
  isReady: false,
  isMirror: false,
  priority: 0,
  requests: Resources.parse({ ...requests, pods: '1' }),
  constraints: { ...unconstrained, ...constraints },
  disruption: { deletionCost: 0 },
  ...rest,
})

/** A ready NodePool without requirements. */
export const nodePool = (name: string, rest: Partial<NodePool> = {}): NodePool => ({
  name,
  uid: `uid-${name}`,
  weight: 0,
  nodeClass: { group: 'test.example.com', kind: 'TestNodeClass', name: 'default' },
  isManaged: true,
  isReady: true,
  isDeleting: false,
  requirements: [],
  labels: {},
  annotations: {},
  taints: [],
  startupTaints: [],
  disruption: { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfterMs: 0, budgets: [] },
  hash: 'hash',
  ...rest,
})

/** An offering in a zone. */
export const offering = (
  zone: string,
  capacityType: string,
  pricePerHour: number,
  rest: Partial<Offering> = {},
): Offering => ({
  requirements: Requirements.of([
    Requirement.isIn(labelKeys.zone, [zone]),
    Requirement.isIn(labelKeys.capacityType, [capacityType]),
  ]),
  pricePerHour,
  ...rest,
})

/** A reserved offering with so many instances left. */
export const reserved = (zone: string, id: string, remaining: number): Offering => ({
  requirements: Requirements.of([
    Requirement.isIn(labelKeys.zone, [zone]),
    Requirement.isIn(labelKeys.capacityType, ['reserved']),
    Requirement.isIn(reservationKey, [id]),
  ]),
  pricePerHour: 0.0001,
  reservation: { remaining, observedAtMs: 0 },
})

/** A type of so many CPUs, 4Gi each, in zones a and b, on demand at its CPUs in price, with 0.1 CPU reserved. */
export const instanceType = (name: string, cpu: number, rest: Partial<InstanceType> = {}): InstanceType => {
  const offerings = rest.offerings ?? [offering('a', 'on-demand', cpu), offering('b', 'on-demand', cpu)]
  const valuesOf = (key: string) =>
    offerings.flatMap(({ requirements }) => [...(requirements.byKey.get(key)?.values ?? [])])
  return {
    name,
    requirements: Requirements.of([
      Requirement.isIn(labelKeys.instanceType, [name]),
      Requirement.isIn(labelKeys.arch, ['amd64']),
      Requirement.isIn(labelKeys.os, ['linux']),
      Requirement.isIn(labelKeys.zone, valuesOf(labelKeys.zone)),
      Requirement.isIn(labelKeys.capacityType, valuesOf(labelKeys.capacityType)),
    ]),
    capacity: Resources.parse({ cpu: String(cpu), memory: `${cpu * 4}Gi`, pods: '110' }),
    overhead: {
      kubeReserved: Resources.parse({ cpu: '100m' }),
      systemReserved: Resources.empty,
      evictionThreshold: Resources.empty,
    },
    ...rest,
    offerings,
  }
}

/** A Ready, initialized node of a NodePool. */
export const stateNode = (
  name: string,
  resources: Readonly<Record<string, string>>,
  rest: Partial<StateNode> & { readonly labels?: Labels } = {},
): StateNode => {
  const { labels = {}, ...others } = rest
  const amounts = Resources.parse({ pods: '110', ...resources })
  const allLabels = {
    [labelKeys.hostname]: name,
    [labelKeys.registered]: 'true',
    [labelKeys.initialized]: 'true',
    ...labels,
  }
  return {
    name,
    providerId: `test://${name}`,
    node: {
      name,
      uid: `uid-${name}`,
      resourceVersion: '1',
      labels: allLabels,
      annotations: {},
      taints: [],
      capacity: amounts,
      allocatable: amounts,
      isUnschedulable: false,
      finalizers: [],
      ownerUids: [],
      kubeletVersion: 'v1.35.0',
      createdAtMs: 0,
      conditions: [],
    },
    isManaged: false,
    isMarkedForDeletion: false,
    pods: [],
    volumeLimits: new Map(),
    ...others,
  }
}

/** A DaemonSet whose pods ask for the given resources. */
export const daemonSet = (
  name: string,
  requests: Readonly<Record<string, string>>,
  constraints: Partial<PodConstraints> = {},
): DaemonSet => ({ namespace: 'kube-system', name, uid: `uid-${name}`, pod: pendingPod(name, requests, constraints) })

/** A snapshot of what is given; NodePools without types of their own get all of `types`. */
export const snapshotFor = (parts: Partial<Snapshot> & { readonly types?: ReadonlyArray<InstanceType> }): Snapshot => {
  const {
    types = [instanceType('small', 2), instanceType('large', 8)],
    nodePools = [nodePool('default')],
    ...rest
  } = parts
  return {
    nowMs: 0,
    settings: defaultPlanningSettings,
    labelRules: {
      knowledge,
      reservation: { id: reservationKey, all: [] },
      unsupportedTopologyKeys: new Set(),
      unsupportedProvisioners: new Set(),
    },
    nodePools,
    instanceTypes: new Map(nodePools.map(({ name }) => [name, types])),
    nodes: [],
    pods: [],
    daemonSets: [],
    podDisruptionBudgets: [],
    namespaces: new Map([['default', {}]]),
    volumes: { claims: new Map(), persistentVolumes: new Map(), storageClasses: new Map() },
    ...rest,
  }
}
