import { Offerings, type InstanceType, type LaunchFailure, type LaunchRequest, type Offering } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { rankOfferings } from '../allocation/index.ts'
import { selectImage } from '../image/index.ts'
import type { Sku } from '../instance-types/index.ts'
import { readyImages, readyKubernetesVersion, type AksNodeClass } from '../node-class/index.ts'
import { wantsUltraSsd } from '../offerings/index.ts'

/** What is bought, and what it boots. */
export interface LaunchPlan {
  readonly type: InstanceType
  readonly offering: Offering
  readonly sku: Sku
  /** The zone label; `0` for none. */
  readonly zone: string
  readonly capacityType: 'on-demand' | 'spot'
  readonly ultraSsd: boolean
  readonly kubernetesVersion: string
  /** ID of the image, in the gallery that the class resolved to. */
  readonly imageId: string
}

/**
 * Picks the best way to launch: one, since after a refusal the shell asks again with what is left (Z-ALLOC-04).
 *
 * Errors: nothing that is available meets the requirements; the class's version or images are not of this generation
 * (Z-CP-03); no image boots on the type (Z-IMG-12).
 */
export const planLaunch = (
  { claim, nodeClass, candidates }: Pick<LaunchRequest<AksNodeClass>, 'claim' | 'nodeClass' | 'candidates'>,
  options: { readonly skuOf: (name: string) => Sku | undefined; readonly random: () => number },
): E.Either<LaunchFailure, LaunchPlan> => {
  const version = readyKubernetesVersion(nodeClass)
  if (E.isLeft(version)) return E.left(notReady(version.left))
  const images = readyImages(nodeClass)
  if (E.isLeft(images)) return E.left(notReady(images.left))
  const way = rankOfferings(candidates, claim.requirements, options.random).find(
    ({ type }) => options.skuOf(type.name) !== undefined,
  )
  const sku = way && options.skuOf(way.type.name)
  if (way === undefined || sku === undefined)
    return E.left({
      reason: 'InsufficientCapacity',
      error: {
        _tag: 'InsufficientCapacity',
        message: `No offering that is available meets what ${claim.name} asks for`,
      },
    })
  const { type, offering } = way
  const image = selectImage(images.right, type)
  if (image === undefined)
    return E.left({
      reason: 'ImageNotFound',
      error: {
        _tag: 'InvalidRequest',
        field: 'spec.imageFamily',
        message: `No image of AKSNodeClass ${nodeClass.metadata.name} boots on ${type.name}: change spec.imageFamily, or keep the type out of the NodePool`,
      },
    })
  return E.right({
    type,
    offering,
    sku,
    zone: Offerings.zoneOf(offering) ?? '',
    capacityType: Offerings.capacityTypeOf(offering) === 'spot' ? 'spot' : 'on-demand',
    ultraSsd: wantsUltraSsd(claim.requirements),
    kubernetesVersion: version.right,
    imageId: image.id,
  })
}

// The class will be resolved again; the claim need not go for it.
const notReady = (message: string): LaunchFailure => ({
  reason: 'NodeClassReadinessUnknown',
  error: { _tag: 'Unknown', message },
})
