import {
  annotationKeys,
  labelKeys,
  nodePoolHashVersion,
  Requirement,
  Requirements,
  Time,
  type JsonObject,
  type Launch,
  type NodePool,
  type RequirementSpec,
} from '@scantling/core'
import { taintManifest } from './node-writes.ts'

/** The NodeClaim that carries out a launch. P-FIN-02, P-FIN-03, P-NCA-05. */
export const claimManifest = (launch: Launch, pool: NodePool): JsonObject => {
  const { expireAfterMs, terminationGracePeriodMs } = pool
  return {
    metadata: {
      generateName: `${pool.name}-`,
      labels: launch.labels,
      annotations: {
        ...launch.annotations,
        [annotationKeys.nodePoolHash]: pool.hash,
        [annotationKeys.nodePoolHashVersion]: nodePoolHashVersion,
      },
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
      expireAfter: expireAfterMs === undefined ? 'Never' : Time.renderDuration(expireAfterMs),
      ...(terminationGracePeriodMs === undefined
        ? {}
        : { terminationGracePeriod: Time.renderDuration(terminationGracePeriodMs) }),
    },
  }
}

// The types are stated by name, so that the launch buys what was planned and nothing else.
const requirementsOf = ({ requirements, instanceTypes }: Launch): ReadonlyArray<RequirementSpec> => {
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
