import type { Call, Labels, ProviderError } from '@scantling/core'
import { traverseBounded } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isNotFound, providerErrorOf } from '../error-codes.ts'
import type { VmDetails } from '../instances/index.ts'
import { bootstrapExtensionName, billingExtensionName, identityOf } from '../launch/index.ts'
import type { Interfaces } from '../network/index.ts'
import { isSame } from '../resource-id/index.ts'
import type { ComputePort } from '../sdk/index.ts'

/** What a VM is to be like. */
export interface VmGoal {
  readonly tags: Labels
  readonly identities: ReadonlyArray<string>
}

/** What has to be changed of a VM. */
export interface VmPatch {
  readonly tags?: Labels
  /** To be added; none is ever taken away, for others may have given it (Z-IPU-03). */
  readonly identities?: ReadonlyArray<string>
}

/** What separates a VM from its goal; `undefined`: nothing (Z-IPU-03). */
export const patchOf = (
  { tags, identities }: Pick<VmDetails, 'tags' | 'identities'>,
  goal: VmGoal,
): VmPatch | undefined => {
  const missing = goal.identities.filter((id) => !identities.some((present) => isSame(present, id)))
  const isTagged = Object.keys(tags).length === Object.keys(goal.tags).length && hasTags(tags, goal.tags)
  if (isTagged && missing.length === 0) return undefined
  return { ...(!isTagged && { tags: goal.tags }), ...(missing.length > 0 && { identities: missing }) }
}

/** Whether all of these tags are there, whatever else is. */
export const hasTags = (tags: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([key, value]) => Object.hasOwn(tags, key) && tags[key] === value)

const managed = [bootstrapExtensionName, billingExtensionName]
const patchesAtOnce = 2

/**
 * Changes a VM in place: its interface, its extensions, and the VM itself at the end, so that what failed on the way is
 * done again (Z-DEL-04).
 */
export const updateVm =
  (deps: {
    readonly compute: Pick<ComputePort, 'updateVm' | 'updateExtension'>
    readonly interfaces: Pick<Interfaces, 'setTags'>
    readonly resourceGroup: string
  }) =>
  (name: string, details: VmDetails, patch: VmPatch, { signal }: Call): TE.TaskEither<ProviderError, void> => {
    const { compute, interfaces, resourceGroup } = deps
    const { tags, identities } = patch
    const tagRest: TE.TaskEither<ProviderError, unknown> =
      tags === undefined
        ? TE.right(undefined)
        : pipe(
            interfaces.setTags(name, tags, signal),
            TE.chain(() =>
              traverseBounded(patchesAtOnce, (extension: string) =>
                pipe(
                  compute.updateExtension({ resourceGroup, name, extension, body: { tags: { ...tags } } }, signal),
                  TE.map(() => undefined),
                  // A VM of the reference may have none (section 3).
                  TE.orElse((error) => (isNotFound(error) ? TE.right(undefined) : TE.left(error))),
                ),
              )(managed.filter((extension) => details.extensions.includes(extension))),
            ),
            TE.mapLeft(providerErrorOf),
          )
    return pipe(
      tagRest,
      TE.chain(() => async () => {
        const updated = await compute.updateVm(
          {
            resourceGroup,
            name,
            body: {
              ...(tags !== undefined && { tags: { ...tags } }),
              ...(identities !== undefined && { identity: identityOf(identities) }),
            },
          },
          signal,
        )()
        return E.bimap(providerErrorOf, () => undefined)(updated)
      }),
    )
  }
