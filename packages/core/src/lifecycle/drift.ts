import type { ClaimState } from '../cluster/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { annotationKeys, capacityTypes, labelKeys, Labels, type LabelKnowledge } from '../labels/index.ts'
import { Requirement, Requirements, type RequirementSpec } from '../requirements/index.ts'

/** What a claim is compared with. */
export interface DriftInput {
  readonly claim: ClaimState
  /** Annotations of its NodePool, which hold the hash of its template. */
  readonly poolMarks: Labels
  readonly poolRequirements: ReadonlyArray<RequirementSpec>
  readonly knowledge: LabelKnowledge
  /** Types of its NodePool; absent: not to be looked at this time. */
  readonly types?: ReadonlyArray<InstanceType>
  /** Keys that only reserved offerings define. */
  readonly reservationKeys: ReadonlyArray<string>
  /** What its NodeClass hashes to now; absent: the kind has no hash, or the class is gone. */
  readonly nodeClassHash?: HashMark
}

/** A hash as it is stamped: compared only where both sides were hashed by the same version (C-DRIFT-05). */
export interface HashMark {
  /** The annotation; that of the version ends in `-version`. */
  readonly key: string
  readonly hash: string
  readonly version: string
}

/** Why a claim no longer is what its NodePool asks for. */
export interface DriftReason {
  readonly reason: 'NodePoolDrifted' | 'RequirementsDrifted' | 'InstanceTypeNotFound' | 'NodeClassDrifted'
  readonly message: string
}

/**
 * Why a launched claim no longer is what its NodePool and NodeClass ask for; the first reason that holds.
 * C-DRIFT-04…08.
 *
 * What the cloud alone knows (images, networks) is the provider's to say, after this.
 *
 * @example
 * import { nodeClaimObject } from '@scantling/core/testing'
 * const claim = ingestNodeClaim(nodeClaimObject('general-1', 'general'))
 * const poolRequirements = [{ key: 'team', operator: 'In', values: ['a'] }] as const
 * const input = { claim, poolMarks: {}, poolRequirements, knowledge: coreLabelKnowledge, reservationKeys: [] }
 * claimDrift(input)?.reason // => 'RequirementsDrifted'
 */
export const claimDrift = (input: DriftInput): DriftReason | undefined => {
  const { claim, poolMarks, knowledge, types, nodeClassHash } = input
  const { nodePoolHash: key, nodePoolHashVersion } = annotationKeys
  const hash = Labels.get(poolMarks, key)
  const version = Labels.get(poolMarks, nodePoolHashVersion)
  if (hash !== undefined && version !== undefined && isOtherHash(claim, { key, hash, version }))
    return { reason: 'NodePoolDrifted', message: 'The template of the NodePool has changed since the launch' }
  const labels = Requirements.fromLabels(claim.labels, knowledge)
  const wanted = Requirements.fromSpecs(input.poolRequirements, knowledge)
  const conflict = Requirements.conflict(labels, wanted, new Set())
  if (conflict !== undefined) {
    const actual = Labels.get(claim.labels, conflict.key)
    return {
      reason: 'RequirementsDrifted',
      message: `The NodePool requires ${Requirement.render(conflict.demand)}, and the node ${
        actual === undefined ? 'lacks the label' : `has ${actual}`
      }`,
    }
  }
  if (types !== undefined && !isStillSold(claim, types, labels, input))
    return {
      reason: 'InstanceTypeNotFound',
      message: `The NodePool no longer offers ${Labels.get(claim.labels, labelKeys.instanceType) ?? 'its type'} as it was launched`,
    }
  return nodeClassHash !== undefined && isOtherHash(claim, nodeClassHash)
    ? {
        reason: 'NodeClassDrifted',
        message: `${claim.nodeClass.kind} ${claim.nodeClass.name} has changed since the launch`,
      }
    : undefined
}

const isOtherHash = ({ annotations }: ClaimState, { key, hash, version }: HashMark): boolean => {
  const stamped = Labels.get(annotations, key)
  return stamped !== undefined && Labels.get(annotations, `${key}-version`) === version && stamped !== hash
}

// Sold out is not gone: an offering that cannot be bought today may be tomorrow (C-DRIFT-07).
const isStillSold = (
  claim: ClaimState,
  types: ReadonlyArray<InstanceType>,
  labels: Requirements,
  { knowledge, reservationKeys }: DriftInput,
): boolean => {
  const name = Labels.get(claim.labels, labelKeys.instanceType)
  const type = types.find((one) => one.name === name)
  // A reservation that ended leaves an ordinary machine, so on-demand serves as well (C-DRIFT-08).
  const wanted =
    Labels.get(claim.labels, labelKeys.capacityType) === capacityTypes.reserved
      ? Requirements.of([
          ...Requirements.without(labels, [labelKeys.capacityType, ...reservationKeys]).byKey.values(),
          Requirement.isIn(labelKeys.capacityType, [capacityTypes.reserved, capacityTypes.onDemand]),
        ])
      : labels
  return (
    type?.offerings.some(({ requirements }) =>
      Requirements.isCompatible(wanted, Requirements.without(requirements, reservationKeys), knowledge.wellKnown),
    ) === true
  )
}
