import type { Call, Convergence, ProviderError } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { inPlaceHash } from '../in-place-hash.ts'
import { azureAnnotationKeys } from '../labels/index.ts'
import { pollMs, type Interfaces } from '../network/index.ts'
import { tagsOf } from '../tags/index.ts'
import { creation, type CreationDeps, type VmSubject } from './creation.ts'
import { hasTags, patchOf, updateVm, type VmGoal } from './in-place-update.ts'

// Beyond it one is looked at once more than it had to be.
const mostUpdating = 10_000

const converged: Convergence = { _tag: 'Converged' }

/**
 * Makes a VM agree with its claim: follows its making to the end, then keeps its tags and identities (Z-CP-06, Z-IPU).
 *
 * No call is made once the claim's annotation says that it is done.
 */
export const convergeVm = (
  deps: CreationDeps & { readonly interfaces: Pick<Interfaces, 'setTags'> },
): ((name: string, subject: VmSubject, call: Call) => TaskEither<ProviderError, Convergence>) => {
  const { settings } = deps
  const createdOf = creation(deps)
  const update = updateVm({
    compute: deps.ports.compute,
    interfaces: deps.interfaces,
    resourceGroup: settings.nodeResourceGroup,
  })
  /** The goal that each VM was last changed to, until it is seen to have it. */
  const updating = new Map<string, string>()

  return (name, subject, call) => async () => {
    const { claim, nodeClass, instance } = subject
    const { details } = instance
    const annotation = azureAnnotationKeys.inPlaceUpdateHash
    const known = Object.hasOwn(claim.annotations, annotation) ? claim.annotations[annotation] : undefined
    const goal: VmGoal = {
      tags: tagsOf({ claim, nodeClass, cluster: call.cluster, settings }),
      identities: [...settings.nodeIdentities].sort(),
    }
    const hash = inPlaceHash({ identities: goal.identities, tags: goal.tags })
    if (claim.deleting || details === undefined || known === hash) return E.right(converged)
    if (known === undefined) {
      const created = await createdOf(name, subject, call)()
      if (E.isLeft(created) || created.right._tag !== 'Done') return created as E.Either<ProviderError, Convergence>
    }
    const patch = patchOf(details, goal)
    // Tags that a policy adds are no reason to write ours again and again.
    const isChanged = updating.get(name) === hash && hasTags(details.tags, goal.tags) && patch?.identities === undefined
    if (patch === undefined || isChanged) {
      updating.delete(name)
      return E.right({ _tag: 'Converged', annotations: { [annotation]: hash } })
    }
    // Asked again when it registers (Z-IPU-02).
    if (!claim.registered) return E.right(converged)
    const updated = await update(name, details, patch, call)()
    if (E.isLeft(updated)) return updated
    updating.set(name, hash)
    for (const oldest of updating.keys()) {
      if (updating.size <= mostUpdating) break
      updating.delete(oldest)
    }
    return E.right({ _tag: 'Pending', reason: 'AwaitingUpdate', retryAfterMs: pollMs })
  }
}
