import {
  annotationKeys,
  labelKeys,
  nodePoolHashVersion,
  Requirement,
  Requirements,
  terminationFinalizer,
  Time,
  overlayAnnotations,
  type InstanceType,
  type JsonObject,
  type Launch,
  type NodePool,
  type RequirementSpec,
} from '@scantling/core'
import { taintManifest } from './node-writes.ts'

/** A launch without its pods; one without types leaves the choice to the provider (P-STA-03). */
export type ClaimLaunch = Omit<Launch, 'pods' | 'instanceTypes'> & {
  readonly instanceTypes?: ReadonlyArray<InstanceType>
}

/** The NodeClaim that carries out a launch; `expireAfter` as the NodePool writes it. P-FIN-02, P-FIN-03, P-NCA-05. */
export const claimManifest = (launch: ClaimLaunch, pool: NodePool, expireAfter: string): JsonObject => {
  const { terminationGracePeriodMs } = pool
  return {
    metadata: {
      generateName: `${pool.name}-`,
      labels: launch.labels,
      // With the hash of the template that was planned with, whatever the pool is now (P-PRV-11).
      annotations: {
        ...launch.annotations,
        // Plans name the reference's version, as its answers do; what hashed is ours.
        [annotationKeys.nodePoolHashVersion]: nodePoolHashVersion,
        ...overlayAnnotations(launch.instanceTypes ?? [], launch.requirements),
      },
      // From the start, so that the launch need not wait for another write (L-CTRL-03).
      finalizers: [terminationFinalizer],
      ownerReferences: [
        { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', name: pool.name, uid: pool.uid, blockOwnerDeletion: true },
      ],
    },
    spec: {
      nodeClassRef: { ...pool.nodeClass },
      requirements: requirementsOf(launch).map(requirementManifest),
      resources: { requests: launch.requests },
      taints: launch.taints.map(taintManifest),
      startupTaints: launch.startupTaints.map(taintManifest),
      expireAfter,
      ...(terminationGracePeriodMs === undefined
        ? {}
        : { terminationGracePeriod: Time.renderDuration(terminationGracePeriodMs) }),
    },
  }
}

// The types are stated by name, so that the launch buys what was planned and nothing else.
const requirementsOf = ({ requirements, instanceTypes }: ClaimLaunch): ReadonlyArray<RequirementSpec> => {
  if (instanceTypes === undefined) return Requirements.toSpecs(requirements)
  const { minValues } = Requirements.get(requirements, labelKeys.instanceType)
  const types = Requirement.isIn(
    labelKeys.instanceType,
    instanceTypes.map(({ name }) => name),
  )
  return [
    ...Requirements.toSpecs(Requirements.without(requirements, [labelKeys.instanceType])),
    ...Requirement.toSpecs(minValues === undefined ? types : { ...types, minValues }),
  ]
}

const requirementManifest = ({ key, operator, values, minValues }: RequirementSpec): JsonObject => ({
  key,
  operator,
  ...(values === undefined ? {} : { values }),
  ...(minValues === undefined ? {} : { minValues }),
})
