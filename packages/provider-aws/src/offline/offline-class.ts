import { decoderOf, labelKeys, type FieldErrors } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { aliasParameters, familyTraits } from '../image/index.ts'
import {
  aliasOf,
  ec2NodeClass,
  familyOf,
  type Ec2NodeClass,
  type ImageAlias,
  type ResolvedImage,
} from '../node-class/index.ts'

const decode = decoderOf(ec2NodeClass.versions[0].schema)

/** A manifest as an EC2NodeClass, by its schema and all of its rules. */
export const decodeEc2NodeClass = (manifest: unknown): E.Either<FieldErrors, Ec2NodeClass> => decode(manifest)

/**
 * The class with a status, as far as one can be told without an account: a subnet in every zone, and images for all
 * architectures and accelerators that its alias has any for. A status that is there stays.
 */
export const resolvedOffline = (nodeClass: Ec2NodeClass, zones: ReadonlyArray<string>): Ec2NodeClass => {
  const { status, spec } = nodeClass
  return {
    ...nodeClass,
    status: {
      ...status,
      // The ids of zones are another account's affair.
      subnets: status.subnets.length > 0 ? status.subnets : zones.map((zone) => ({ id: `subnet-in-${zone}`, zone })),
      amis: status.amis.length > 0 ? status.amis : imagesOf(spec),
    },
  }
}

/** A class of AL2023 that leaves everything else open, for NodePools whose class is not of EC2. */
export const plainClass = (): Ec2NodeClass => {
  const decoded = decode({
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name: 'plain' },
    spec: {
      amiSelectorTerms: [{ alias: 'al2023@latest' }],
      role: 'plain',
      subnetSelectorTerms: [{ tags: { '*': '*' } }],
      securityGroupSelectorTerms: [{ tags: { '*': '*' } }],
    },
  })
  if (E.isLeft(decoded)) throw new Error(JSON.stringify(decoded.left))
  return decoded.right
}

// AWS stopped publishing images of AL2 after the first; any version serves to tell which there are.
const kubernetesFor = ({ family }: ImageAlias): string => (family === 'AL2' ? '1.32' : '1.35')

const imagesOf = (spec: Ec2NodeClass['spec']): ReadonlyArray<ResolvedImage> => {
  const alias = aliasOf(spec)
  const parameters = alias === undefined ? undefined : aliasParameters(alias, kubernetesFor(alias))
  if (parameters !== undefined && E.isRight(parameters))
    return parameters.right.flatMap(({ path, requirements }, index) =>
      requirements.map((specs) => image(`ami-${index}`, /arm64/.test(path) ? 'arm64' : 'amd64', specs)),
    )
  const { os } = familyTraits[familyOf(spec)]
  return (os === 'windows' ? ['amd64'] : ['amd64', 'arm64']).map((architecture) =>
    image(`ami-${architecture}`, architecture, []),
  )
}

const image = (id: string, architecture: string, specs: ResolvedImage['requirements']): ResolvedImage => ({
  id,
  requirements: [{ key: labelKeys.arch, operator: 'In', values: [architecture] }, ...specs],
})
