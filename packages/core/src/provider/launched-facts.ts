import { allocatableOfType, Offerings, type InstanceType, type Offering } from '../instance/index.ts'
import { labelKeys, type Labels } from '../labels/index.ts'
import { Quantity, Resources, type ResourceList } from '../quantity/index.ts'
import { Requirement, type Requirements } from '../requirements/index.ts'
import type { Instance } from './instance.ts'
import type { LabelPolicy } from './label-policy.ts'

/** What a claim takes over from the instance that was launched for it. */
export interface LaunchedFacts {
  readonly labels: Labels
  readonly annotations: Labels
  /** Without amounts of zero (P-CPI-08). */
  readonly capacity: ResourceList
  readonly allocatable: ResourceList
}

/**
 * The labels that a machine of the type, bought by the offering, gives its claim and Node.
 *
 * Every single-valued requirement of the type, then all of the offering's (P-CPI-08). Left out: internal keys, and the
 * keys of reservations unless the offering itself defines them.
 *
 * @example
 * import { instanceType, offering } from '@scantling/core/testing'
 * claimLabels(instanceType('m5.large', 2), offering('a', 'spot', 0.1))['topology.kubernetes.io/zone'] // => 'a'
 */
export const claimLabels = (type: InstanceType, offering: Offering | undefined, policy?: LabelPolicy): Labels => {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>
  const omitted = new Set(policy?.reservation?.all)
  addSingleValues(labels, type.requirements, omitted)
  if (offering !== undefined) addSingleValues(labels, offering.requirements, new Set())
  for (const key of policy?.internal ?? []) delete labels[key]
  return labels
}

/**
 * Labels, annotations, capacity and allocatable of a claim, from its instance and that instance's type.
 *
 * What the instance states itself wins, and an amount of zero removes. Without the type (it left the catalogue) only
 * what the instance states is known.
 *
 * @example
 * import { instanceType } from '@scantling/core/testing'
 * const instance = {
 *   providerId: 'cloud:///i-1',
 *   phase: 'running',
 *   instanceType: 'm5.large',
 *   zone: 'a',
 *   capacityType: 'on-demand',
 *   owner: {},
 * } as const
 * launchedFacts(instance, instanceType('m5.large', 2)).allocatable // => { cpu: '1900m', memory: '8Gi', pods: '110' }
 */
export const launchedFacts = (
  instance: Instance,
  type: InstanceType | undefined,
  policy?: LabelPolicy,
): LaunchedFacts => {
  const offering = type && Offerings.offeringIn(type, instance)
  const labels = {
    ...(type && claimLabels(type, offering, policy)),
    [labelKeys.instanceType]: instance.instanceType,
    [labelKeys.zone]: instance.zone,
    [labelKeys.capacityType]: instance.capacityType,
    ...instance.labels,
  }
  const annotations = instance.annotations ?? {}
  if (type === undefined) {
    const capacity = withoutZeros(instance.capacity ?? {})
    return { labels, annotations, capacity, allocatable: capacity }
  }
  const stated: Offering = {
    ...(offering ?? { requirements: { byKey: new Map() } }),
    capacity: { ...type.capacity, ...offering?.capacity, ...instance.capacity },
  }
  return {
    labels,
    annotations,
    capacity: withoutZeros(stated.capacity ?? {}),
    allocatable: withoutZeros(allocatableOfType(type, stated)),
  }
}

const addSingleValues = (
  labels: Record<string, string>,
  requirements: Requirements,
  omitted: ReadonlySet<string>,
): void => {
  for (const requirement of requirements.byKey.values()) {
    const value = Requirement.singleValue(requirement)
    if (value !== undefined && !omitted.has(requirement.key)) labels[requirement.key] = value
  }
}

const withoutZeros = (list: ResourceList): ResourceList => {
  const kept: Record<string, Quantity> = Object.create(null) as Record<string, Quantity>
  for (const name of Object.keys(list)) {
    const amount = Resources.get(list, name)
    if (!Quantity.isZero(amount)) kept[name] = amount
  }
  return kept
}
