import { refTo, type Face, type KubeObject, type ResourceRef } from '../face.ts'
import { canonicalText } from './canonical.ts'
import { unlessGone } from './status-error.ts'

/**
 * Writes the status fields that differ from what is stored; does nothing when all are equal.
 *
 * Fields not named stay as they are; `null` removes one.
 */
export const patchStatus = async (
  face: Face,
  ref: ResourceRef,
  object: KubeObject & { readonly status?: object },
  status: Readonly<Record<string, unknown>>,
): Promise<void> => {
  const present = (object.status ?? {}) as Readonly<Record<string, unknown>>
  const changed = Object.entries(status).filter(
    ([field, value]) => canonicalText(present[field] ?? null) !== canonicalText(value ?? null),
  )
  if (changed.length === 0) return
  await unlessGone(face.patch(refTo(ref, object, 'status'), 'merge', { status: Object.fromEntries(changed) }))
}
