import { canonicalText } from '../canonical.ts'
import type {
  Affinity,
  NodeSelector,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodObject,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from '../objects.ts'
import { compileSelector, type Labels, type LabelTest } from '../selectors.ts'
import { assumedRequests, podRequests } from './amounts.ts'

/** One term of pod (anti-)affinity, made ready: which pods it selects, and over which topology. */
export interface CompiledTerm {
  /** Equal for terms that select the same pods over the same topology. */
  readonly key: string
  readonly topologyKey: string
  readonly selects: (namespace: string, labels: Labels) => boolean
}

export interface CompiledSpread {
  readonly key: string
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selects: LabelTest
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
  /** Whether the pods of this class count themselves. */
  readonly selectsSelf: boolean
}

export interface HostPort {
  readonly address: string
  readonly protocol: string
  readonly port: number
}

/**
 * Everything about a pod that scheduling depends on, shared by all pods that are equal in it.
 *
 * What one pod of a class learns about a node (does it fit, how well) holds for the others until the node changes.
 */
export interface PodClass {
  readonly id: number
  readonly namespace: string
  readonly labels: Labels
  readonly priority: number
  readonly canPreempt: boolean
  /** Column of the resource and amount; amounts are positive. */
  readonly request: ReadonlyArray<readonly [column: number, amount: number]>
  readonly scoredCpuMilli: number
  readonly scoredMemoryBytes: number
  readonly tolerations: ReadonlyArray<Toleration>
  readonly nodeSelector: Labels | undefined
  readonly affinity: Affinity | undefined
  readonly requiredNodes: NodeSelector | undefined
  /** The only nodes that the pod can go to, where a field selector on the node's name says so (daemon pods). */
  readonly onlyNodes: ReadonlySet<string> | undefined
  readonly preferredNodes: ReadonlyArray<{ readonly weight: number; readonly preference: NodeSelectorTerm }>
  readonly hostPorts: ReadonlyArray<HostPort>
  readonly hardSpreads: ReadonlyArray<CompiledSpread>
  readonly softSpreads: ReadonlyArray<CompiledSpread>
  readonly affinityTerms: ReadonlyArray<CompiledTerm>
  readonly antiAffinityTerms: ReadonlyArray<CompiledTerm>
  /** Positive weights attract, negative ones repel. */
  readonly preferredTerms: ReadonlyArray<{ readonly weight: number; readonly term: CompiledTerm }>
  readonly claimNames: ReadonlyArray<string>
  /** Whether the placement of other pods matters to this one (beyond the room that they take). */
  readonly dependsOnPods: boolean
}

export interface ClassTable {
  readonly classOf: (pod: PodObject) => PodClass
}

export interface ClassTableOptions {
  readonly columnOf: (resource: string) => number
  readonly namespaceLabels: (namespace: string) => Labels
}

// At this bound the tables start anew: classes keep working, equal pods may then be in two of them.
const largestTable = 20_000

export const classTable = ({ columnOf, namespaceLabels }: ClassTableOptions): ClassTable => {
  const classes = new Map<string, PodClass>()
  let nextId = 0

  const compile = (pod: PodObject): PodClass => {
    const spec = pod.spec
    const namespace = pod.metadata.namespace ?? ''
    const labels = pod.metadata.labels ?? {}
    const terms = (list: ReadonlyArray<PodAffinityTerm> | undefined) =>
      (list ?? []).map((term) => compileTerm(term, namespace, namespaceLabels))
    const spreads = (spec.topologySpreadConstraints ?? []).map((constraint) => ({
      isHard: constraint.whenUnsatisfiable === 'DoNotSchedule',
      spread: compileSpread(constraint, namespace, labels),
    }))
    const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    const affinityTerms = terms(spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
    const antiAffinityTerms = terms(spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
    const weigh = (sign: 1 | -1, rules: Affinity['podAffinity']) =>
      (rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) => ({
        weight: sign * weight,
        term: compileTerm(podAffinityTerm, namespace, namespaceLabels),
      }))
    const preferredTerms = [...weigh(1, spec.affinity?.podAffinity), ...weigh(-1, spec.affinity?.podAntiAffinity)]
    const hardSpreads = spreads.filter(({ isHard }) => isHard).map(({ spread }) => spread)
    const softSpreads = spreads.filter(({ isHard }) => !isHard).map(({ spread }) => spread)
    return {
      id: nextId++,
      namespace,
      labels,
      priority: spec.priority ?? 0,
      canPreempt: spec.preemptionPolicy !== 'Never',
      request: [...podRequests(spec)]
        .filter(([, amount]) => amount > 0)
        .map(([name, amount]) => [columnOf(name), amount] as const),
      ...scoredRequests(spec),
      tolerations: spec.tolerations ?? [],
      nodeSelector: spec.nodeSelector,
      affinity: spec.affinity,
      requiredNodes: required,
      onlyNodes: required === undefined ? undefined : nodesByName(required),
      preferredNodes: spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [],
      hostPorts: hostPortsOf(spec),
      hardSpreads,
      softSpreads,
      affinityTerms,
      antiAffinityTerms,
      preferredTerms,
      claimNames: claimNamesOf(pod),
      dependsOnPods: hardSpreads.length + affinityTerms.length + antiAffinityTerms.length > 0,
    }
  }
  return {
    classOf: (pod) => {
      const key = classKey(pod)
      const known = classes.get(key)
      if (known !== undefined) return known
      if (classes.size >= largestTable) classes.clear()
      const made = compile(pod)
      classes.set(key, made)
      return made
    },
  }
}

const classKey = (pod: PodObject): string => {
  const { spec } = pod
  const containers = (list: PodSpec['containers']) =>
    list?.map(({ resources, ports, restartPolicy }) => [resources, ports, restartPolicy])
  return canonicalText([
    pod.metadata.namespace,
    pod.metadata.labels,
    containers(spec.containers),
    containers(spec.initContainers),
    spec.overhead,
    spec.resources,
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.topologySpreadConstraints,
    spec.priority,
    spec.preemptionPolicy,
    spec.hostNetwork,
    claimNamesOf(pod),
  ])
}

/** The claims that a pod mounts, those made for its generic ephemeral volumes included. */
export const claimNamesOf = (pod: PodObject): ReadonlyArray<string> =>
  (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) =>
    persistentVolumeClaim !== undefined
      ? [persistentVolumeClaim.claimName]
      : ephemeral !== undefined
        ? [`${pod.metadata.name}-${name}`]
        : [],
  )

const scoredRequests = (spec: PodSpec) => {
  let scoredCpuMilli = 0
  let scoredMemoryBytes = 0
  for (const container of spec.containers ?? []) {
    const requests = podRequests({ containers: [container] })
    scoredCpuMilli += requests.get('cpu') ?? assumedRequests.cpuMilli
    scoredMemoryBytes += requests.get('memory') ?? assumedRequests.memoryBytes
  }
  return { scoredCpuMilli, scoredMemoryBytes }
}

const hostPortsOf = (spec: PodSpec): ReadonlyArray<HostPort> =>
  [...(spec.containers ?? []), ...(spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')].flatMap(
    ({ ports = [] }) =>
      ports.flatMap(({ containerPort = 0, hostPort = 0, hostIP = '', protocol = 'TCP' }) => {
        const port = spec.hostNetwork === true && hostPort === 0 ? containerPort : hostPort
        return port > 0 ? [{ address: hostIP === '' ? '0.0.0.0' : hostIP, protocol, port }] : []
      }),
  )

// Every term must name nodes by field, else other nodes are possible, too.
const nodesByName = ({ nodeSelectorTerms = [] }: NodeSelector): ReadonlySet<string> | undefined => {
  const names = new Set<string>()
  for (const { matchFields = [] } of nodeSelectorTerms) {
    const field = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    if (field === undefined) return undefined
    for (const name of field.values ?? []) names.add(name)
  }
  return nodeSelectorTerms.length === 0 ? undefined : names
}

const compileTerm = (
  term: PodAffinityTerm,
  podNamespace: string,
  namespaceLabels: (namespace: string) => Labels,
): CompiledTerm => {
  // The API server has merged the pod's label keys into it.
  const selectsLabels = compileSelector(term.labelSelector)
  const named = term.namespaces ?? []
  const namespaces = named.length === 0 && term.namespaceSelector === undefined ? [podNamespace] : named
  const selectsNamespace = compileSelector(term.namespaceSelector)
  return {
    key: canonicalText([term.labelSelector, namespaces, term.namespaceSelector, term.topologyKey]),
    topologyKey: term.topologyKey,
    selects: (namespace, labels) =>
      selectsLabels(labels) &&
      (namespaces.includes(namespace) ||
        (term.namespaceSelector !== undefined && selectsNamespace(namespaceLabels(namespace)))),
  }
}

const compileSpread = (constraint: TopologySpreadConstraint, namespace: string, labels: Labels): CompiledSpread => {
  const selects = compileSelector(constraint.labelSelector)
  return {
    key: canonicalText([namespace, constraint.labelSelector, constraint.topologyKey]),
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    selects,
    honorsAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
    honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
    selectsSelf: selects(labels),
  }
}
