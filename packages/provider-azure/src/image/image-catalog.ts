import { labelKeys, type CancelSignal } from '@scantling/core'
import { fingerprint, memoize } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { internalLabelKeys } from '../labels/index.ts'
import type { AksNodeClass, NodeImage } from '../node-class/index.ts'
import { familyOf, imageDefinitionsOf, type Gallery, type ImageDefinition } from './family.ts'
import { communityImageId, sharedImageId } from './image-id.ts'
import {
  latestCommunityVersion,
  newestNodeImageVersions,
  type CommunityImageVersion,
  type NodeImageVersion,
} from './image-versions.ts'

/** The two lists of versions; every page of each. */
export interface ImageVersionCalls<Err> {
  readonly communityImageVersions: (
    gallery: string,
    definition: string,
    signal: CancelSignal,
  ) => TaskEither<Err, ReadonlyArray<CommunityImageVersion>>
  readonly nodeImageVersions: (signal: CancelSignal) => TaskEither<Err, ReadonlyArray<NodeImageVersion>>
}

/** The latest images of a class, best first. */
export interface ImageCatalog<Err> {
  readonly latest: (
    nodeClass: Pick<AksNodeClass, 'spec'>,
    kubernetesVersion: string,
    signal: CancelSignal,
  ) => TaskEither<Err, ReadonlyArray<NodeImage>>
}

interface Wanted {
  readonly gallery: Gallery
  readonly definitions: ReadonlyArray<ImageDefinition>
  readonly kubernetesVersion: string
  readonly signal: CancelSignal
}

const keptMs = 3 * 24 * 3_600_000
// An empty answer is one that will change; the reference believes it for three days.
const emptyKeptMs = 60_000

/**
 * Looks up the latest version of each image that a class may boot, and remembers it for three days (Z-IMG-06…08).
 *
 * A newer version of Kubernetes looks anew. Images without a version are left out. Errors: those of the list; what was
 * found before is forgotten no earlier.
 */
export const imageCatalog = <Err>(options: {
  readonly calls: ImageVersionCalls<Err>
  /** Absent: the community galleries. */
  readonly sigSubscription?: string
  readonly nowMs: () => number
}): ImageCatalog<Err> => {
  const { calls, sigSubscription, nowMs } = options
  const emptyAtMs = new Map<string, number>()
  const idOf = ({ definitions, kubernetesVersion }: Pick<Wanted, 'definitions' | 'kubernetesVersion'>) =>
    fingerprint([kubernetesVersion, ...definitions.map(({ name }) => name)])
  const fromShared =
    (subscription: string, { gallery, definitions, signal }: Wanted): TaskEither<Err, ReadonlyArray<NodeImage>> =>
    async () => {
      const listed = await calls.nodeImageVersions(signal)()
      if (E.isLeft(listed)) return listed
      const newest = newestNodeImageVersions(listed.right, gallery.name)
      return E.right(
        definitions.flatMap((definition) => {
          const version = newest.get(definition.name)
          return version === undefined
            ? []
            : [imageOf(definition, sharedImageId(subscription, gallery, definition.name, version))]
        }),
      )
    }
  const fromCommunity =
    ({ gallery, definitions, signal }: Wanted): TaskEither<Err, ReadonlyArray<NodeImage>> =>
    async () => {
      const listed = await Promise.all(
        definitions.map(({ name }) => calls.communityImageVersions(gallery.community, name, signal)()),
      )
      const images: Array<NodeImage> = []
      for (const [index, definition] of definitions.entries()) {
        const versions = listed[index]
        if (versions === undefined) continue
        if (E.isLeft(versions)) return versions
        const version = latestCommunityVersion(versions.right)
        if (version !== undefined) images.push(imageOf(definition, communityImageId(gallery, definition.name, version)))
      }
      return E.right(images)
    }
  const known = memoize<Wanted, Err, ReadonlyArray<NodeImage>>({
    load: (wanted) => (sigSubscription === undefined ? fromCommunity(wanted) : fromShared(sigSubscription, wanted)),
    idOf,
    ttlMs: keptMs,
    nowMs,
  })
  return {
    latest: (nodeClass, kubernetesVersion, signal) => async () => {
      const definitions = imageDefinitionsOf(nodeClass, kubernetesVersion, sigSubscription !== undefined)
      if (definitions.length === 0) return E.right([])
      const { gallery } = familyOf(nodeClass, kubernetesVersion)
      const wanted: Wanted = { gallery, definitions, kubernetesVersion, signal }
      const id = idOf(wanted)
      const emptySince = emptyAtMs.get(id)
      if (emptySince !== undefined && nowMs() - emptySince >= emptyKeptMs) {
        emptyAtMs.delete(id)
        known.drop(wanted)
      }
      const found = await known.get(wanted)()
      if (E.isRight(found) && found.right.length === 0 && !emptyAtMs.has(id)) emptyAtMs.set(id, nowMs())
      return found
    },
  }
}

// Requirements shorter key first, as the reference orders them (Z-ST-04).
const imageOf = ({ arch, hyperVGeneration }: ImageDefinition, id: string): NodeImage => ({
  id,
  requirements: [
    { key: labelKeys.arch, operator: 'In', values: [arch] },
    { key: internalLabelKeys.hyperVGeneration, operator: 'In', values: [hyperVGeneration] },
  ],
})
