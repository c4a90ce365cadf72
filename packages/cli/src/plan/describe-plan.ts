import {
  forecastLaunch,
  podKey,
  renderReason,
  Resources,
  utilization,
  type LabelKnowledge,
  type Pod,
  type ProvisioningPlan,
} from '@scantling/core'

/** A plan in plain data, for `--json` and for the text. */
export interface PlanDescription {
  readonly launches: ReadonlyArray<LaunchDescription>
  /** Pods that fit nodes that are among the objects. */
  readonly placements: ReadonlyArray<{ readonly node: string; readonly pods: ReadonlyArray<string> }>
  readonly rejections: ReadonlyArray<{
    readonly pod: string
    readonly verdict: 'ignored' | 'unplaced' | 'deferred'
    readonly reasons: ReadonlyArray<string>
    /** Whether a later pass may find a place without anyone's doing. */
    readonly mayResolveByWaiting: boolean
  }>
  /** **Units**: currency per hour, of all launches. */
  readonly pricePerHour: number
}

export interface LaunchDescription {
  readonly nodePool: string
  /** The machine that is asked for first; `alternatives` counts the other types that would do. */
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: string
  readonly pricePerHour: number
  readonly alternatives: number
  readonly pods: ReadonlyArray<string>
  readonly requests: Readonly<Record<string, string>>
  readonly allocatable: Readonly<Record<string, string>>
  /** Of what pods may use of the node, from 0 to 1. */
  readonly utilization: { readonly cpu: number; readonly memory: number }
}

export const describePlan = (plan: ProvisioningPlan, knowledge: Pick<LabelKnowledge, 'wellKnown'>): PlanDescription => {
  const launches = plan.launches.map((launch): LaunchDescription => {
    const { instanceType, zone, capacityType, pricePerHour, allocatable } = forecastLaunch(launch, knowledge)
    const share = (resource: string) => Number(utilization(launch.requests, allocatable, resource).toFixed(4))
    return {
      nodePool: launch.nodePool,
      instanceType: instanceType.name,
      zone,
      capacityType,
      pricePerHour,
      alternatives: launch.instanceTypes.length - 1,
      pods: podNames(launch.pods),
      requests: { ...launch.requests },
      allocatable: { cpu: Resources.get(allocatable, 'cpu'), memory: Resources.get(allocatable, 'memory') },
      utilization: { cpu: share('cpu'), memory: share('memory') },
    }
  })
  return {
    launches,
    placements: plan.placements.map(({ node, pods }) => ({ node, pods: podNames(pods) })),
    rejections: plan.rejections.map(({ pod, verdict, reasons, mayResolveByWaiting }) => ({
      pod: podKey(pod),
      verdict,
      reasons: reasons.map(renderReason),
      mayResolveByWaiting,
    })),
    pricePerHour: Number(launches.reduce((sum, { pricePerHour }) => sum + pricePerHour, 0).toPrecision(10)),
  }
}

// In the order of their numbers: web-10 after web-9.
const podNames = (pods: ReadonlyArray<Pod>): ReadonlyArray<string> =>
  pods
    .map((pod) => ({ name: podKey(pod), key: podKey(pod).replace(/\d+/g, (digits) => digits.padStart(10, '0')) }))
    .sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
    .map(({ name }) => name)
