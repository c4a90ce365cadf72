import { Pods, StateNodes, type HostPort, type Snapshot, type StateNode } from '../cluster/index.ts'
import { compareText } from '../internal/index.ts'
import { labelKeys, Labels } from '../labels/index.ts'
import type { Aliases } from '../requirements/index.ts'
import type { Taint } from '../taints/index.ts'
import type { RequirementSet } from '../topology/index.ts'
import type { Daemons } from './daemon-overhead.ts'
import type { ResourceColumns } from './resource-columns.ts'
import { volumesOf } from './volume-topology.ts'

/** A node that exists or is coming, with the room that is left on it. */
export interface ExistingNode {
  readonly index: number
  readonly state: StateNode
  readonly name: string
  readonly hostname: string
  /** Index of the hostname among hostnames. */
  readonly host: number
  readonly taints: ReadonlyArray<Taint>
  readonly isInitialized: boolean
  /** Closed to settled pods: it must not be filled again while its NodePool waits to see it idle (D-SIM-05). */
  readonly isResting: boolean
  /** Taken away by a simulation. */
  isGone: boolean
  /** The labels it has, which `set` starts from and pods of the pass narrow. */
  readonly own: RequirementSet
  set: RequirementSet
  readonly remaining: Float64Array
  /** A negative amount anywhere means that nothing fits, whatever it asks for (P-RES-02). */
  readonly isOvercommitted: boolean
  readonly hostPorts: Array<HostPort>
  readonly attached: Map<string, Set<string>>
  readonly attachLimits: ReadonlyMap<string, number>
  readonly pods: Array<number>
}

/** The name by which topology knows a node: the hostname label in force, else its name. */
export const hostnameOf = (state: StateNode): string =>
  Labels.get(StateNodes.labelsOf(state), labelKeys.hostname) || state.name

/** Initialised nodes first, then by name: the order in which they are tried (P-EXN-01). */
export const compareNodes = (a: StateNode, b: StateNode): number =>
  Number(StateNodes.isInitialized(b)) - Number(StateNodes.isInitialized(a)) || compareText(a.name, b.name)

/** What an existing node has left for pods of this pass (P-EXN-05). */
export const existingNode = (
  state: StateNode,
  identity: {
    readonly index: number
    readonly host: number
    readonly set: RequirementSet
    readonly isResting: boolean
  },
  context: {
    readonly snapshot: Snapshot
    readonly columns: ResourceColumns
    readonly daemons: Daemons
    readonly aliases: Aliases
  },
): ExistingNode => {
  const { snapshot, columns, daemons, aliases } = context
  const taints = StateNodes.taintsOf(state)
  const hostname = hostnameOf(state)
  const allocatable = StateNodes.allocatableOf(state)
  const remaining = columns.vector(allocatable)
  const expected = daemons.requestsOn(taints, identity.set, hostname)
  const used = new Float64Array(columns.count)
  const hostPorts: Array<HostPort> = []
  const attached = new Map<string, Set<string>>()
  for (const pod of state.pods) {
    if (Pods.isTerminal(pod)) continue
    const volumes = pod.constraints.volumes.length === 0 ? undefined : volumesOf(pod, snapshot.volumes, aliases, 0)
    if (volumes?.isUnusable === true) continue
    const requests = columns.vector(pod.requests)
    const isDaemon = Pods.isOwnedByDaemonSet(pod)
    for (let index = 0; index < used.length; index += 1) {
      used[index]! += requests[index]!
      if (isDaemon) expected[index]! -= requests[index]!
    }
    hostPorts.push(...pod.constraints.hostPorts)
    for (const [driver, claims] of volumes?.attached ?? []) attach(attached, driver, claims)
  }
  let isOvercommitted = false
  for (const [index, name] of columns.names.entries()) {
    if (!Object.hasOwn(allocatable, name)) continue
    remaining[index]! -= used[index]! + Math.max(0, expected[index]!)
    if (remaining[index]! < 0) isOvercommitted = true
  }
  return {
    index: identity.index,
    state,
    name: state.name,
    hostname,
    host: identity.host,
    taints,
    isInitialized: StateNodes.isInitialized(state),
    isResting: identity.isResting,
    isGone: false,
    own: identity.set,
    set: identity.set,
    remaining,
    isOvercommitted,
    hostPorts,
    attached,
    attachLimits: attachLimitsOf(state, snapshot),
    pods: [],
  }
}

// What the node itself reports comes first; for drivers it says nothing of, what its type is known for.
const attachLimitsOf = (state: StateNode, { instanceTypes }: Snapshot): ReadonlyMap<string, number> => {
  const labels = StateNodes.labelsOf(state)
  const types = instanceTypes.get(Labels.get(labels, labelKeys.nodePool) ?? '')
  const name = Labels.get(labels, labelKeys.instanceType)
  const limits = types?.find((type) => type.name === name)?.volumeAttachmentLimits
  return limits === undefined ? state.volumeLimits : new Map([...limits, ...state.volumeLimits])
}

/** Notes claims that a node attaches. */
export const attach = (attached: Map<string, Set<string>>, driver: string, claims: Iterable<string>): void => {
  const present = attached.get(driver)
  if (present === undefined) attached.set(driver, new Set(claims))
  else for (const claim of claims) present.add(claim)
}

/** Whether attaching more keeps every driver within its limit; claims that are attached already count once (P-VLM-01). */
export const isWithinAttachLimits = (
  attached: ReadonlyMap<string, ReadonlySet<string>>,
  added: ReadonlyMap<string, ReadonlySet<string>>,
  limits: ReadonlyMap<string, number>,
): boolean => {
  for (const [driver, limit] of limits) {
    if (attachedCount(attached.get(driver), added.get(driver)) > limit) return false
  }
  return true
}

/** How many claims of a driver there are together. */
export const attachedCount = (
  attached: ReadonlySet<string> | undefined,
  added: ReadonlySet<string> | undefined,
): number => {
  let count = attached?.size ?? 0
  for (const claim of added ?? []) if (attached?.has(claim) !== true) count += 1
  return count
}
