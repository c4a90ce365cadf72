import * as E from 'fp-ts/lib/Either.js'

import { Labels, scantlingKeys } from '../../labels/index.ts'
import { decoderOf, s, type FieldErrors, type TypeOf } from '../../schema/index.ts'

/** Settings that the reference's API has no field for, as the fields that they would be. */
export const nodePoolSettingsSchema = s.named(
  'NodePool settings',
  s.object({
    strategy: s.optional(
      s.literals(['reference', 'first-fit', 'cost'], {
        description:
          'How nodes are chosen for the pool’s pods: as the reference does, the same with limits and budgets kept, or by lowest price. Absent: the controller’s setting.',
      }),
    ),
  }),
)

/** Scantling's own settings of a NodePool. */
export interface NodePoolSettings extends TypeOf<typeof nodePoolSettingsSchema> {}

const decodeSettings = decoderOf<NodePoolSettings>(nodePoolSettingsSchema)

const annotationOf = { strategy: scantlingKeys.strategy } as const satisfies Record<keyof NodePoolSettings, string>

/**
 * Reads the `scantling.sh/` annotations of a NodePool.
 *
 * Errors: each wrong value, with the path of its annotation; never a silent default.
 *
 * @example
 * decodeNodePoolSettings({ 'scantling.sh/strategy': 'reference' })._tag // => 'Right'
 * decodeNodePoolSettings({ 'scantling.sh/strategy': 'fastest' })._tag // => 'Left'
 */
export const decodeNodePoolSettings = (annotations: Labels): E.Either<FieldErrors, NodePoolSettings> => {
  const fields = Object.fromEntries(
    Object.entries(annotationOf).map(([field, key]) => [field, Labels.get(annotations, key)]),
  )
  return E.mapLeft((errors: FieldErrors): FieldErrors => {
    const [first, ...rest] = errors.map((error) => ({
      ...error,
      path: `metadata.annotations[${annotationOf[error.path as keyof NodePoolSettings] ?? error.path}]`,
    }))
    return first === undefined ? errors : [first, ...rest]
  })(decodeSettings(fields))
}
