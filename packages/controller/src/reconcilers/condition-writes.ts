import * as E from 'fp-ts/lib/Either.js'
import { Conditions, ingestCondition, type ConditionChange, type JsonObject } from '@scantling/core'
import type { ObjectCache } from '../cache/index.ts'
import type { KubeError, KubeObject } from '../kube/index.ts'
import { conditionManifest } from './claim-writes.ts'
import type { ReconcilerContext } from './context.ts'

type WireCondition = Parameters<typeof ingestCondition>[0]

interface Conditioned extends KubeObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly generation: number
    readonly resourceVersion: string
  }
  readonly status: { readonly conditions: ReadonlyArray<WireCondition> }
}

/**
 * Lays changes over the conditions of an object and writes them with `fields` of its status, if anything changes.
 *
 * `dependents`: the conditions that Ready sums up; absent: the kind has no Ready. Conditional on the version read, so
 * that of two writers one reads again.
 */
export const writeConditions = async <A extends Conditioned>(
  { kube, clock }: Pick<ReconcilerContext, 'kube' | 'clock'>,
  cache: Pick<ObjectCache<A>, 'kind' | 'observe'>,
  object: A,
  changes: ReadonlyArray<ConditionChange>,
  { dependents, fields = {} }: { readonly dependents?: ReadonlyArray<string>; readonly fields?: JsonObject } = {},
): Promise<E.Either<KubeError, void>> => {
  const { name, namespace, generation, resourceVersion } = object.metadata
  const nowMs = clock.nowMs()
  const at = { nowMs, createdAtMs: nowMs, generation, dependents: dependents ?? [] }
  const present = object.status.conditions.map(ingestCondition)
  const changed = Conditions.apply(present, changes, at)
  const conditions =
    dependents === undefined
      ? changed
      : Conditions.apply(changed, [Conditions.rollUp(changed, dependents, generation)], at)
  const isSame =
    JSON.stringify(conditions) === JSON.stringify(Conditions.apply(present, [], at)) && hasFields(object.status, fields)
  if (isSame) return E.right(undefined)
  const patched = await kube.patchStatus(
    cache.kind,
    { name, ...(namespace === undefined ? {} : { namespace }) },
    {
      type: 'merge',
      body: { metadata: { resourceVersion }, status: { ...fields, conditions: conditions.map(conditionManifest) } },
    },
  )()
  if (E.isLeft(patched)) return patched
  cache.observe(patched.right)
  return E.right(undefined)
}

const hasFields = (status: object, fields: JsonObject): boolean =>
  Object.entries(fields).every(
    ([name, value]) =>
      JSON.stringify((status as Readonly<Record<string, unknown>>)[name] ?? null) === JSON.stringify(value),
  )
