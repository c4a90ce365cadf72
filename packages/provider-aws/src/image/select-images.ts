import type { Image } from '@aws-sdk/client-ec2'
import { labelKeys, Requirements, type InstanceType, type RequirementSpec } from '@scantling/core'
import { architectureOf } from '../labels/index.ts'
import type { ResolvedImage } from '../node-class/index.ts'
import { requirementsKey } from './alias-parameters.ts'
import type { ImageQuery } from './image-queries.ts'

interface Found {
  readonly image: Image
  readonly specs: ReadonlyArray<RequirementSpec>
  readonly isDeprecated: boolean
  readonly createdAtMs: number
}

/**
 * The images of a NodeClass, as its status lists them: newest first, and of those for the same types the best one.
 *
 * Best is what is not deprecated, then what is newer, then the greater name (A-AMI-08…11, A-STA-03). Architectures
 * without a kubelet are left out.
 */
export const selectImages = (
  answers: ReadonlyArray<{ readonly query: ImageQuery; readonly images: ReadonlyArray<Image> }>,
  nowMs: number,
): ReadonlyArray<ResolvedImage> => {
  const best = new Map<string, Found>()
  for (const { query, images } of answers) {
    for (const image of images) {
      const architecture = architectureOf(image.Architecture)
      if (architecture === undefined || image.ImageId === undefined) continue
      for (const uses of query.requirements.get(image.ImageId) ?? [[]]) {
        const specs: ReadonlyArray<RequirementSpec> = [
          { key: labelKeys.arch, operator: 'In', values: [architecture] },
          ...uses,
        ]
        const found: Found = {
          image,
          specs,
          isDeprecated: instantOf(image.DeprecationTime) <= nowMs,
          createdAtMs: secondsOf(image.CreationDate),
        }
        const key = requirementsKey(specs)
        const rival = best.get(key)
        if (rival === undefined || isBetter(found, rival)) best.set(key, found)
      }
    }
  }
  return [...best.values()].sort(compareForList).map(resolvedImage)
}

const instantOf = (text: string | undefined): number => {
  const ms = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(ms) ? Infinity : ms
}

// EC2 states milliseconds, and images that were copied together differ in nothing else.
const secondsOf = (text: string | undefined): number => {
  const ms = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(ms) ? -Infinity : Math.floor(ms / 1000)
}

const isBetter = (one: Found, other: Found): boolean => {
  if (one.isDeprecated !== other.isDeprecated) return other.isDeprecated
  if (one.createdAtMs !== other.createdAtMs) return one.createdAtMs > other.createdAtMs
  return (one.image.Name ?? '') > (other.image.Name ?? '')
}

// One image may serve several sets of types, which then follow one another in a fixed order.
const compareForList = (a: Found, b: Found): number => {
  if (a.createdAtMs !== b.createdAtMs) return a.createdAtMs > b.createdAtMs ? -1 : 1
  const idOf = ({ image }: Found) => image.ImageId ?? ''
  if (idOf(a) !== idOf(b)) return idOf(a) < idOf(b) ? -1 : 1
  return requirementsKey(a.specs) < requirementsKey(b.specs) ? -1 : 1
}

const resolvedImage = ({ image, specs, isDeprecated }: Found): ResolvedImage => ({
  id: image.ImageId ?? '',
  ...(image.Name !== undefined && { name: image.Name }),
  ...(isDeprecated && { deprecated: true }),
  requirements: [...specs].sort(compareSpecs).map(({ key, operator, values }) => ({
    key,
    operator,
    ...(values !== undefined && { values }),
  })),
})

const compareSpecs = (a: RequirementSpec, b: RequirementSpec): number =>
  a.key.length !== b.key.length ? a.key.length - b.key.length : a.key < b.key ? -1 : 1

/** The requirements of an image in the status, compiled. */
export const requirementsOfImage = ({ requirements }: ResolvedImage): Requirements =>
  Requirements.fromSpecs(requirements as ReadonlyArray<RequirementSpec>)

// No key may be undefined: `Exists` does not hold for a type that lacks the key.
const none: ReadonlySet<string> = new Set()

/** The image that a launch of the type would boot: the first of the list that is for it (A-AMI-12). */
export const imageOfType = (
  images: ReadonlyArray<{ readonly id: string; readonly requirements: Requirements }>,
  type: Pick<InstanceType, 'requirements'>,
): string | undefined =>
  images.find(({ requirements }) => Requirements.isCompatible(type.requirements, requirements, none))?.id
