import { compareText } from '../internal/index.ts'
import { roundPrice, type NodeClaimOutput, type ProvisionOutput } from './normal-form.ts'
import { stableJson } from './stable-json.ts'

/** What the reference answered, as far as it is compared. */
export interface ExpectedProvision {
  readonly nondeterministic?: boolean
  /** Distinct answers that were seen; the first is that to the objects in their given order. */
  readonly outputs: ReadonlyArray<ProvisionOutput>
  /** Projections in which runs of the reference differ among themselves. */
  readonly unstable?: ReadonlyArray<string>
}

/** Where an answer departs from the expected one. */
export interface Difference {
  /** `claimCount`, `partition`, `instanceTypes`, …; `whole` where every projection agrees and a detail does not. */
  readonly projection: string
  readonly expected: string
  readonly actual: string
}

/**
 * How an answer departs from the reference's; empty: it agrees.
 *
 * It agrees when it equals one of the outputs or, where the reference is nondeterministic, when it agrees with the first
 * output in every projection in which the reference's own runs do.
 *
 * @example
 * const nothing = { newNodeClaims: [], existingNodes: [], podErrors: {} }
 * compareProvision({ outputs: [nothing] }, nothing) // => []
 */
export const compareProvision = (expected: ExpectedProvision, actual: ProvisionOutput): ReadonlyArray<Difference> => {
  const text = comparable(actual)
  const [first] = expected.outputs
  if (first === undefined || expected.outputs.some((output) => comparable(output) === text)) return []
  const unstable = new Set(expected.nondeterministic === true ? expected.unstable : [])
  const wanted = projections(first)
  const found = projections(actual)
  const differences = [...wanted].flatMap(([projection, value]): ReadonlyArray<Difference> => {
    const other = found.get(projection) ?? ''
    return value === other || unstable.has(projection) ? [] : [{ projection, expected: value, actual: other }]
  })
  if (differences.length > 0 || expected.nondeterministic === true) return differences
  return [{ projection: 'whole', expected: comparable(first), actual: text }]
}

// Messages are worded differently by design; keys are what must agree.
const comparable = (output: ProvisionOutput): string =>
  stableJson({
    ...output,
    newNodeClaims: output.newNodeClaims.map((claim) => ({ ...claim, requirements: claim.requirements ?? [] })),
    podErrors: sortedKeys(output.podErrors),
    ignoredPods: sortedKeys(output.ignoredPods ?? {}),
  })

/** The aspects of an output that can be constant even where the whole is not. */
const projections = (output: ProvisionOutput): ReadonlyMap<string, string> => {
  const claims = output.newNodeClaims
  const sorted = (project: (claim: NodeClaimOutput) => unknown) =>
    stableJson(claims.map((claim) => stableJson(project(claim))).sort(compareText))
  const counts = new Map<string, number>()
  for (const { nodePool } of claims) counts.set(nodePool, (counts.get(nodePool) ?? 0) + 1)
  return new Map([
    ['error', output.error ?? ''],
    ['podErrors', stableJson(sortedKeys(output.podErrors))],
    ['ignoredPods', stableJson(sortedKeys(output.ignoredPods ?? {}))],
    ['existingPods', stableJson(output.existingNodes.flatMap(({ pods }) => pods).sort(compareText))],
    ['existingNodes', stableJson(output.existingNodes)],
    ['claimCount', String(claims.length)],
    ['claimSizes', sorted(({ pods }) => pods.length)],
    ['claimsPerPool', stableJson(Object.fromEntries(counts))],
    ['partition', sorted(({ pods }) => pods)],
    [
      'nodePools',
      stableJson(Object.fromEntries(claims.flatMap(({ pods, nodePool }) => pods.map((pod) => [pod, nodePool])))),
    ],
    ['requirements', sorted(({ pods, requirements }) => [pods, requirements ?? []])],
    ['requests', sorted(({ pods, requests }) => [pods, requests])],
    ['price', String(roundPrice(claims.reduce((sum, { price = 0 }) => sum + price, 0)))],
    ['instanceTypes', sorted(({ pods, instanceTypes }) => [pods, instanceTypes])],
  ])
}

const sortedKeys = (record: Readonly<Record<string, unknown>>) => Object.keys(record).sort(compareText)
