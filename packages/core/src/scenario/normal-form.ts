import { podKey } from '../cluster/index.ts'
import type { Pod } from '../cluster/index.ts'
import { compareText } from '../internal/index.ts'
import { annotationKeys, labelKeys, Labels } from '../labels/index.ts'
import { Quantity, Resources, type ResourceList } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import type { Launch, ProvisioningPlan, Rejection } from '../scheduling/index.ts'
import type { Taint } from '../taints/index.ts'

/** A plan in the form in which plans are compared: lists sorted, amounts and prices in one spelling. */
export interface ProvisionOutput {
  readonly newNodeClaims: ReadonlyArray<NodeClaimOutput>
  readonly existingNodes: ReadonlyArray<{ readonly name: string; readonly pods: ReadonlyArray<string> }>
  /** Pod → why it has no place. */
  readonly podErrors: Readonly<Record<string, string>>
  /** Pod → why it was refused before scheduling. */
  readonly ignoredPods?: Readonly<Record<string, string>>
  /** The pass as a whole failed. */
  readonly error?: string
}

export interface NodeClaimOutput {
  readonly nodePool: string
  readonly pods: ReadonlyArray<string>
  readonly requirements: ReadonlyArray<RequirementOutput> | null
  /** In the order of price. */
  readonly instanceTypes: ReadonlyArray<string>
  /** Plain decimals in base units, zeros left out. */
  readonly requests: Readonly<Record<string, string>>
  readonly taints?: ReadonlyArray<string>
  readonly startupTaints?: ReadonlyArray<string>
  /** `*` where more than one value is admissible. */
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly price?: number
}

export interface RequirementOutput {
  readonly key: string
  readonly operator: string
  readonly values?: ReadonlyArray<string>
  readonly minValues?: number
}

/**
 * `renderRejection` makes the text of `podErrors`; texts are for people and are not compared.
 *
 * @example
 * import { pendingPod, snapshotFor } from '@scantling/core/testing'
 * const snapshot = snapshotFor({ pods: [pendingPod('web-0')] })
 * const plan = planProvisioning(snapshot, { strategy: 'first-fit', reservedOfferings: 'strict' })
 * provisionOutputOf(plan, renderReasons).newNodeClaims[0]?.instanceTypes // => ['small', 'large']
 */
export const provisionOutputOf = (
  plan: ProvisioningPlan,
  renderRejection: (rejection: Rejection) => string,
): ProvisionOutput => {
  const texts = (isWanted: (rejection: Rejection) => boolean) =>
    Object.fromEntries(
      plan.rejections
        .filter(isWanted)
        .map((rejection) => [podKey(rejection.pod), renderRejection(rejection)] as const)
        .sort(([left], [right]) => compareText(left, right)),
    )
  const ignoredPods = texts(({ verdict }) => verdict === 'ignored')
  const ignored = Object.keys(ignoredPods).length === 0 ? {} : { ignoredPods }
  if (plan.rejections.some(({ reasons }) => reasons.some(({ _tag }) => _tag === 'NoNodePools'))) {
    return { newNodeClaims: [], existingNodes: [], podErrors: {}, ...ignored, error: 'no dynamic nodepools found' }
  }
  return {
    newNodeClaims: plan.launches
      .map(nodeClaimOutputOf)
      .map((claim) => ({ claim, key: `${claim.pods.join(',')}|${claim.nodePool}|${JSON.stringify(claim)}` }))
      .sort((left, right) => compareText(left.key, right.key))
      .map(({ claim }) => claim),
    existingNodes: plan.placements
      .map(({ node, pods }) => ({ name: node, pods: podNames(pods) }))
      .sort((left, right) => compareText(left.name, right.name)),
    podErrors: texts(({ verdict }) => verdict !== 'ignored'),
    ...ignored,
  }
}

const nodeClaimOutputOf = (launch: Launch): NodeClaimOutput => {
  const { nodePool, pods, requirements, instanceTypes, requests, pricePerHour } = launch
  const taints = taintTexts(launch.taints)
  const startupTaints = taintTexts(launch.startupTaints)
  const labels = labelsOutput(launch)
  const isRelaxed = Labels.get(launch.annotations, annotationKeys.minValuesRelaxed) === 'true'
  return {
    nodePool,
    pods: podNames(pods),
    requirements: requirementsOutput(requirements),
    instanceTypes: instanceTypes.map(({ name }) => name),
    requests: amounts(requests),
    ...(taints.length === 0 ? {} : { taints }),
    ...(startupTaints.length === 0 ? {} : { startupTaints }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(isRelaxed ? { annotations: { [annotationKeys.minValuesRelaxed]: 'true' } } : {}),
    ...(pricePerHour === undefined ? {} : { price: roundPrice(pricePerHour) }),
  }
}

/** `namespace/name` of pods, in order. */
export const podNames = (pods: ReadonlyArray<Pod>) => pods.map(podKey).sort(compareText)

/** Requirements in order, without the hostname and without the values that `instanceTypes` gives. */
export const requirementsOutput = (requirements: Requirements): ReadonlyArray<RequirementOutput> =>
  Requirements.toSpecs(requirements)
    .flatMap((spec): ReadonlyArray<RequirementOutput> => {
      if (spec.key === labelKeys.hostname) return []
      if (spec.key !== labelKeys.instanceType) return [spec]
      // `instanceTypes` gives the values.
      return spec.minValues === undefined ? [] : [{ key: spec.key, operator: 'In', minValues: spec.minValues }]
    })
    .map(({ key, operator, values = [], minValues }) => ({
      key,
      operator,
      ...(values.length === 0 ? {} : { values: [...values].sort(compareText) }),
      ...(minValues === undefined ? {} : { minValues }),
    }))
    .sort((left, right) => compareText(left.key, right.key) || compareText(left.operator, right.operator))

const amounts = (list: ResourceList): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.keys(list)
      .filter((name) => !Quantity.isZero(Resources.get(list, name)))
      .sort(compareText)
      .map((name) => [name, Quantity.toDecimal(Resources.get(list, name))]),
  )

const taintTexts = (taints: ReadonlyArray<Taint>) =>
  taints.map(({ key, value = '', effect }) => `${key}=${value}:${effect}`).sort(compareText)

const labelsOutput = ({ labels, requirements }: Launch): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.keys(labels)
      .sort(compareText)
      .map((key) => {
        const isFree =
          Requirements.has(requirements, key) &&
          Requirement.singleValue(Requirements.get(requirements, key)) === undefined
        return [key, isFree ? '*' : (Labels.get(labels, key) ?? '')]
      }),
  )

/** Ten significant digits: sums of prices differ beyond them by the order of addition. */
export const roundPrice = (price: number): number => Number(price.toPrecision(10))
