import * as E from 'fp-ts/lib/Either.js'
import { conditionReasons, conditionTypes, isFips, type AksNodeClass, type NodeImage } from '../node-class/index.ts'
import { baseOf } from './image-id.ts'

/** What the images of a class resolved to. */
export type ResolvedImages =
  | { readonly _tag: 'Resolved'; readonly images: ReadonlyArray<NodeImage>; readonly problem?: string }
  | { readonly _tag: 'NotReady'; readonly reason: string; readonly message: string }

/**
 * The images of a class, from the latest there are and those that its status has (Z-IMG-09, Z-IMG-10).
 *
 * Where there are none yet, at an upgrade of Kubernetes, and while the maintenance window is open, the latest. Otherwise
 * the stored version of every image that stays, the latest of one that is new, and none of one that is no longer wanted.
 *
 * A window that cannot be read counts as closed: versions stay, and `problem` says why. The reference gives up on the
 * class's images as a whole (W-30).
 */
export const resolveImages = (input: {
  readonly nodeClass: Pick<AksNodeClass, 'spec' | 'status'>
  /** Best first, as `imageDefinitionsOf` orders them. */
  readonly latest: ReadonlyArray<NodeImage>
  readonly useSig: boolean
  readonly isUpgrade: boolean
  readonly window: E.Either<string, boolean>
}): ResolvedImages => {
  const { nodeClass, latest, useSig, isUpgrade, window } = input
  if (isFips(nodeClass) && !useSig)
    return {
      _tag: 'NotReady',
      reason: conditionReasons.sigRequiredForFips,
      message: 'FIPS images are in the shared image gallery alone: set --use-sig, or spec.fipsMode to Disabled',
    }
  const isReady = nodeClass.status.conditions.some(
    ({ type, status }) => type === conditionTypes.images && status === 'True',
  )
  const takesLatest = !isReady || isUpgrade || (E.isRight(window) && window.right)
  const stored = new Map((nodeClass.status.images ?? []).map((image) => [baseOf(image.id), image]))
  const images = takesLatest ? latest : latest.map((image) => stored.get(baseOf(image.id)) ?? image)
  if (images.length === 0)
    return {
      _tag: 'NotReady',
      reason: conditionReasons.imagesNotFound,
      message: `There is no image of family ${nodeClass.spec.imageFamily} for this Kubernetes version and these security settings: change spec.imageFamily, spec.fipsMode or spec.security`,
    }
  return {
    _tag: 'Resolved',
    images,
    ...(E.isLeft(window) && !takesLatest && { problem: window.left }),
  }
}
