import { labelKeys, Requirement, type RequirementSpec } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { awsLabelKeys } from '../labels/index.ts'
import type { ImageAlias } from '../node-class/index.ts'
import { familyTraits } from './family-traits.ts'

/** An SSM parameter that holds an image, and the types that the image is for: one entry per way of using it. */
export interface AliasParameter {
  readonly path: string
  readonly requirements: ReadonlyArray<ReadonlyArray<RequirementSpec>>
  /** Whether the image behind it changes over time. */
  readonly isMutable: boolean
}

/** The types that a variant of an image is for (A-AMI-14). */
const variants = {
  standard: [
    { key: awsLabelKeys.acceleratorCount, operator: 'DoesNotExist' },
    { key: awsLabelKeys.gpuCount, operator: 'DoesNotExist' },
  ],
  nvidia: [{ key: awsLabelKeys.gpuCount, operator: 'Exists' }],
  neuron: [{ key: awsLabelKeys.acceleratorCount, operator: 'Exists' }],
} as const satisfies Readonly<Record<string, ReadonlyArray<RequirementSpec>>>

type Variant = keyof typeof variants

/** Whether the types of a set of requirements include those without accelerators: the first choice for a probe. */
export const isStandardVariant = (requirements: ReadonlyArray<{ readonly key: string; readonly operator: string }>) =>
  variants.standard.every(({ key, operator }) =>
    requirements.some((one) => one.key === key && one.operator === operator),
  )

const minorOf = (kubernetesVersion: string): number => Number(/^1\.(\d+)/.exec(kubernetesVersion)?.[1] ?? Number.NaN)

/** `1.34` of `1.34.2-eks-1234567`. */
export const minorVersionOf = (kubernetesVersion: string): string =>
  /^\d+\.\d+/.exec(kubernetesVersion)?.[0] ?? kubernetesVersion

/**
 * The parameters of an alias.
 *
 * Errors: a sentence, where AWS publishes no images of the family for this version of Kubernetes (A-AMI-02).
 */
export const aliasParameters = (
  { family, version }: ImageAlias,
  kubernetesVersion: string,
): E.Either<string, ReadonlyArray<AliasParameter>> => {
  const minor = minorOf(kubernetesVersion)
  const kubernetes = minorVersionOf(kubernetesVersion)
  const isMutable = version === 'latest' || familyTraits[family].os === 'windows'
  const parameter = (path: string, ...uses: ReadonlyArray<Variant>): AliasParameter => ({
    path,
    requirements: uses.map((use) => variants[use]),
    isMutable,
  })
  const optimised = (...parts: ReadonlyArray<string>) =>
    ['/aws/service/eks/optimized-ami', kubernetes, ...parts, 'image_id'].join('/')
  switch (family) {
    case 'AL2': {
      if (minor >= 33)
        return E.left(
          `AWS publishes no AL2 images for Kubernetes ${kubernetes}: name al2023@latest or bottlerocket@latest instead, or select images by id, name or tags`,
        )
      const release = (kind: string) =>
        version === 'latest' ? 'recommended' : `amazon-eks-${kind}node-${kubernetes}-${version}`
      return E.right([
        parameter(optimised('amazon-linux-2', release('')), 'standard'),
        parameter(optimised('amazon-linux-2-arm64', release('arm64-')), 'standard'),
        parameter(optimised('amazon-linux-2-gpu', release('gpu-')), 'neuron', 'nvidia'),
      ])
    }
    case 'AL2023': {
      const of = (arch: string, variant: Variant) =>
        parameter(
          optimised(
            'amazon-linux-2023',
            arch,
            variant,
            version === 'latest' ? 'recommended' : `amazon-eks-node-al2023-${arch}-${variant}-${kubernetes}-${version}`,
          ),
          variant,
        )
      return E.right([
        of('x86_64', 'standard'),
        of('x86_64', 'nvidia'),
        of('x86_64', 'neuron'),
        of('arm64', 'standard'),
        of('arm64', 'nvidia'),
      ])
    }
    case 'Bottlerocket': {
      const release = version.replace(/^v/, '')
      const path = (flavour: string, arch: string) =>
        `/aws/service/bottlerocket/aws-k8s-${kubernetes}${flavour}/${arch}/${release}/image_id`
      return E.right([
        parameter(path('', 'x86_64'), 'standard', 'neuron'),
        parameter(path('', 'arm64'), 'standard'),
        parameter(path('-nvidia', 'x86_64'), 'nvidia'),
        parameter(path('-nvidia', 'arm64'), 'nvidia'),
      ])
    }
    case 'Windows2019':
    case 'Windows2022':
    case 'Windows2025': {
      if (family === 'Windows2025' && minor < 35)
        return E.left(
          `AWS publishes no Windows Server 2025 images for Kubernetes ${kubernetes}: name windows2022@latest, or upgrade the cluster to 1.35`,
        )
      const path = `/aws/service/ami-windows-latest/Windows_Server-${family.slice('Windows'.length)}-English-Core-EKS_Optimized-${kubernetes}/image_id`
      const build = familyTraits[family].windowsBuild ?? ''
      const requirements: ReadonlyArray<RequirementSpec> = [
        { key: labelKeys.os, operator: 'In', values: ['windows'] },
        { key: labelKeys.windowsBuild, operator: 'In', values: [build] },
      ]
      return E.right([{ path, requirements: [requirements], isMutable }])
    }
  }
}

/** Two sets of requirements as one text: the same for equal sets. */
export const requirementsKey = (specs: ReadonlyArray<RequirementSpec>): string =>
  specs
    .map((spec) => Requirement.render(Requirement.fromSpec(spec)))
    .sort()
    .join(', ')
