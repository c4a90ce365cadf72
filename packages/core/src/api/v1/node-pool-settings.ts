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
    replaceBeforeEvict: s.optional(
      s.literals(['true', 'false'], {
        description:
          'Whether a replacement is Ready before the first pod of a node is evicted, whatever ends the node by our choice: drift, expiry, consolidation. Default: false, which waits for replacements except where a node expires or must go first.',
      }),
    ),
    surge: s.optional(
      s.literals(['true', 'false'], {
        description:
          'Whether Deployments of one replica are rolled over to the replacement before their node is drained, so that the second pod is Ready before the first one goes. Default: false.',
      }),
    ),
    rebalance: s.optional(
      s.literals(['replace', 'ignore'], {
        description:
          'What a recommendation to rebalance does to a node of the pool: replace it as soon as another is Ready, or nothing but an event. Default: ignore.',
      }),
    ),
  }),
)

/** Scantling's own settings of a NodePool. */
export interface NodePoolSettings extends TypeOf<typeof nodePoolSettingsSchema> {}

const decodeSettings = decoderOf<NodePoolSettings>(nodePoolSettingsSchema)

const annotationOf = {
  strategy: scantlingKeys.strategy,
  replaceBeforeEvict: scantlingKeys.replaceBeforeEvict,
  surge: scantlingKeys.surge,
  rebalance: scantlingKeys.rebalance,
} as const satisfies Record<keyof NodePoolSettings, string>

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
