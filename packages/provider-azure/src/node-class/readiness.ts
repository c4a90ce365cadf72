import * as E from 'fp-ts/lib/Either.js'
import type { AksNodeClass, NodeImage } from './aks-node-class.ts'

/** The conditions that `Ready` is made of (Z-ST-02). */
export const conditionTypes = {
  kubernetesVersion: 'KubernetesVersionReady',
  images: 'ImagesReady',
  subnets: 'SubnetsReady',
  validation: 'ValidationSucceeded',
  localDns: 'LocalDNSReady',
} as const

/** Why one of them is not true. */
export const conditionReasons = {
  sigRequiredForFips: 'SIGRequiredForFIPS',
  imagesNotFound: 'ImagesNotFound',
  kubernetesUpgrade: 'KubernetesUpgrade',
  subnetIdInvalid: 'SubnetIDInvalid',
  subnetNotFound: 'SubnetNotFound',
  subnetUnknownError: 'SubnetUnknownError',
  diskEncryptionSetRbacMissing: 'DiskEncryptionSetRBACMissing',
  checkingClusterRequirementsFailed: 'CheckingClusterRequirementsFailed',
} as const

type Resolved = Pick<AksNodeClass, 'metadata' | 'status'>

/**
 * The Kubernetes version that the class resolved to.
 *
 * Errors: Left when its condition is not true at this generation of the spec, or when it says nothing (Z-ST-03).
 */
export const readyKubernetesVersion = (nodeClass: Resolved): E.Either<string, string> => {
  const problem = problemWith(nodeClass, conditionTypes.kubernetesVersion)
  if (problem !== undefined) return E.left(problem)
  const { kubernetesVersion = '' } = nodeClass.status
  return kubernetesVersion === ''
    ? E.left(`AKSNodeClass ${nodeClass.metadata.name} has no Kubernetes version in its status yet`)
    : E.right(kubernetesVersion)
}

/** The images that the class resolved to. Errors: Left when its condition is not true at this generation (Z-ST-03). */
export const readyImages = (nodeClass: Resolved): E.Either<string, ReadonlyArray<NodeImage>> => {
  const problem = problemWith(nodeClass, conditionTypes.images)
  return problem === undefined ? E.right(nodeClass.status.images ?? []) : E.left(problem)
}

const problemWith = ({ metadata, status }: Resolved, type: string): string | undefined => {
  const condition = status.conditions.find((candidate) => candidate.type === type)
  const name = `AKSNodeClass ${metadata.name}`
  if (condition?.status !== 'True') {
    const { status: state = 'Unknown', message = '' } = condition ?? {}
    return `${name}: ${type} is ${state}${message === '' ? '' : `: ${message}`}`
  }
  return condition.observedGeneration === metadata.generation
    ? undefined
    : `${name}: ${type} was found at generation ${condition.observedGeneration ?? 0}, the spec is at ${metadata.generation}`
}
