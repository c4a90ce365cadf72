import { podKey, type Pod, type PodAffinityTerm, type PodConstraints, type Snapshot } from '../cluster/index.ts'
import type { TopologySpreadConstraint } from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { invariant } from '../internal/index.ts'
import { labelKeys, type Labels } from '../labels/index.ts'
import { Requirement, Requirements, type RequirementSpec } from '../requirements/index.ts'
import { planProvisioning, type Launch, type ProvisioningOptions, type ProvisioningPlan } from '../scheduling/index.ts'
import { pendingPod, snapshotFor } from './planning.ts'

/** A question to the planner: what is not given is as in `snapshotFor`, and the settings are the defaults. */
export interface Scene extends Partial<Omit<Snapshot, 'settings'>> {
  readonly types?: ReadonlyArray<InstanceType>
  readonly settings?: Partial<Omit<Snapshot['settings'], 'featureGates'>>
  readonly gates?: Partial<Snapshot['settings']['featureGates']>
}

/** A plan in few words. */
export interface Decision {
  readonly plan: ProvisioningPlan
  /** `pool: pod pod`, in the order in which nodes were opened. */
  readonly launches: ReadonlyArray<string>
  /** `node: pod pod`. */
  readonly placements: ReadonlyArray<string>
  /** `pod verdict: Reason,Reason`. */
  readonly rejections: ReadonlyArray<string>
  /** Names of the types of each launch, cheapest first. */
  readonly types: ReadonlyArray<string>
  /** What each launch demands of a key, `''` where nothing. */
  readonly demanded: (key: string) => ReadonlyArray<string>
  /** The values that each launch admits for a key, sorted. */
  readonly valuesOf: (key: string) => ReadonlyArray<string>
}

export const sceneOf = ({ settings, gates, ...parts }: Scene): Snapshot => {
  const snapshot = snapshotFor(parts)
  const featureGates = { ...snapshot.settings.featureGates, ...gates }
  return deepFreeze({ ...snapshot, settings: { ...snapshot.settings, ...settings, featureGates } })
}

/**
 * What the planner makes of a scene, which it gets frozen.
 *
 * Without a strategy both are asked and must agree; name one only where they differ on purpose.
 */
export const decide = (scene: Scene, options: Partial<ProvisioningOptions> = {}): Decision => {
  const snapshot = sceneOf(scene)
  const ask = (strategy: ProvisioningOptions['strategy']) =>
    decisionOf(planProvisioning(snapshot, { reservedOfferings: 'strict', ...options, strategy }))
  const decision = ask(options.strategy ?? 'reference')
  if (options.strategy === undefined) {
    const [one, other] = [decision, ask('first-fit')].map(({ launches, placements, rejections, types }) =>
      JSON.stringify({ launches, placements, rejections, types }),
    )
    invariant(one === other, `strategies agree: ${one} is ${other}`)
  }
  return decision
}

const decisionOf = (plan: ProvisioningPlan): Decision => {
  const names = (pods: ReadonlyArray<Pod>) => pods.map(({ name }) => name).join(' ')
  const requirementOf = ({ requirements }: Launch, key: string) => Requirements.get(requirements, key)
  return {
    plan,
    launches: plan.launches.map(({ nodePool, pods }) => `${nodePool}: ${names(pods)}`),
    placements: plan.placements.map(({ node, pods }) => `${node}: ${names(pods)}`),
    rejections: plan.rejections.map(
      ({ pod: { name }, verdict, reasons }) => `${name} ${verdict}: ${reasons.map(({ _tag }) => _tag).join()}`,
    ),
    types: plan.launches.map(({ instanceTypes }) => instanceTypes.map(({ name }) => name).join(' ')),
    demanded: (key) =>
      plan.launches.map((launch) =>
        launch.requirements.byKey.has(key) ? Requirement.render(requirementOf(launch, key)) : '',
      ),
    valuesOf: (key) => plan.launches.map((launch) => Requirement.sortedValues(requirementOf(launch, key)).join(' ')),
  }
}

const deepFreeze = <A>(value: A): A => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const child of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(child)
  return value
}

/** A pending pod that asks for so many CPUs; constraints are laid over each other. */
export const pod = (name: string, cpu = '1', ...constraints: ReadonlyArray<Partial<PodConstraints>>): Pod =>
  pendingPod(name, { cpu }, Object.assign({}, ...constraints) as Partial<PodConstraints>)

/** The same with the label `app: web`, which `spread`, `near` and `apart` select. */
export const web = (name: string, cpu = '1', ...constraints: ReadonlyArray<Partial<PodConstraints>>): Pod => ({
  ...pod(name, cpu, ...constraints),
  labels: { app: 'web' },
})

/** `p0`, `p1`, … made alike. */
export const copies = (count: number, make: (name: string, index: number) => Pod): ReadonlyArray<Pod> =>
  Array.from({ length: count }, (_, index) => make(`p${index}`, index))

/** The pod as it is once it runs on a node. */
export const runningOn = (nodeName: string, one: Pod): Pod => ({
  ...one,
  nodeName,
  phase: 'Running',
  isUnschedulable: false,
  isReady: true,
})

/** The pod as a DaemonSet's. */
export const daemonPod = (one: Pod): Pod => ({
  ...one,
  owner: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: one.name, uid: `owner-of-${podKey(one)}` },
})

// --- constraints ----------------------------------------------------------------------------------------------------

type Constraints = Partial<PodConstraints>

const webSelector = { matchLabels: { app: 'web' } }

export const selecting = (nodeSelector: Labels): Constraints => ({ nodeSelector })

export const inZone = (zone: string): Constraints => selecting({ [labelKeys.zone]: zone })

export const isIn = (key: string, ...values: ReadonlyArray<string>): RequirementSpec => ({
  key,
  operator: 'In',
  values,
})

/** Required node affinity; each argument is one alternative. */
export const requiring = (...terms: ReadonlyArray<ReadonlyArray<RequirementSpec>>): Constraints => ({
  requiredNodeTerms: terms.map((expressions) => ({ expressions, hasMatchFields: false })),
})

/** Preferred node affinity; heaviest wins. */
export const preferring = (...terms: ReadonlyArray<readonly [weight: number, spec: RequirementSpec]>): Constraints => ({
  preferredNodeTerms: terms.map(([weight, spec]) => ({ weight, term: { expressions: [spec], hasMatchFields: false } })),
})

/** A spread of `app: web` with a skew of 1. */
export const spreadRule = (
  topologyKey: string,
  rest: Partial<TopologySpreadConstraint> = {},
): TopologySpreadConstraint => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: webSelector,
  matchLabelKeys: [],
  nodeAffinityPolicy: 'Honor',
  nodeTaintsPolicy: 'Ignore',
  ...rest,
})

export const spread = (topologyKey: string, rest: Partial<TopologySpreadConstraint> = {}): Constraints => ({
  topologySpread: [spreadRule(topologyKey, rest)],
})

/** The spread, to be given up where it cannot be kept. */
export const softSpread = (topologyKey: string, rest: Partial<TopologySpreadConstraint> = {}): Constraints =>
  spread(topologyKey, { whenUnsatisfiable: 'ScheduleAnyway', ...rest })

const podTerm = (topologyKey: string, rest: Partial<PodAffinityTerm>): PodAffinityTerm => ({
  topologyKey,
  labelSelector: webSelector,
  namespaces: [],
  ...rest,
})

/** Required affinity to `app: web`. */
export const near = (topologyKey: string, rest: Partial<PodAffinityTerm> = {}): Constraints => ({
  podAffinity: { required: [podTerm(topologyKey, rest)], preferred: [] },
})

/** Required anti-affinity to `app: web`. */
export const apart = (topologyKey: string, rest: Partial<PodAffinityTerm> = {}): Constraints => ({
  podAntiAffinity: { required: [podTerm(topologyKey, rest)], preferred: [] },
})

export const preferringNear = (topologyKey: string, rest: Partial<PodAffinityTerm> = {}): Constraints => ({
  podAffinity: { required: [], preferred: [{ weight: 1, term: podTerm(topologyKey, rest) }] },
})

export const preferringApart = (topologyKey: string, rest: Partial<PodAffinityTerm> = {}): Constraints => ({
  podAntiAffinity: { required: [], preferred: [{ weight: 1, term: podTerm(topologyKey, rest) }] },
})

export const usingPort = (
  port: number,
  rest: { readonly ip?: string; readonly protocol?: string } = {},
): Constraints => ({
  hostPorts: [{ ip: '0.0.0.0', port, protocol: 'TCP', ...rest }],
})

export const usingClaims = (...claimNames: ReadonlyArray<string>): Constraints => ({
  volumes: claimNames.map((claimName) => ({ volumeName: `volume-${claimName}`, claimName })),
})
