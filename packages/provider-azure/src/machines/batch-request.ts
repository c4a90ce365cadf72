import type { JsonObject } from '@scantling/core'
import { canonical } from '@scantling/provider-kit'
import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { AksMachine, ArmError } from '../sdk/index.ts'

/** One machine of a batch. */
export interface BatchEntry {
  readonly name: string
  readonly body: AksMachine
}

// What differs from machine to machine, and what AKS alone writes.
const ownFields = ['tags', 'eTag', 'provisioningState', 'resourceId', 'status']

/**
 * What the machines of a batch share: their properties without tags; and, for ultra disks, the zones, without which AKS
 * refuses them (Z-BAT-01).
 */
export const sharedBodyOf = ({ properties = {}, zones }: AksMachine): AksMachine => {
  const shared = Object.fromEntries(Object.entries(properties).filter(([name]) => !ownFields.includes(name)))
  const { ultraSsdEnabled } = (properties['hardware'] ?? {}) as JsonObject
  return { properties: shared, ...(ultraSsdEnabled === true && zones !== undefined && { zones }) }
}

/** Machines with the same key go into one request (Z-BAT-01). `pool`: resource group, cluster and pool, with slashes. */
export const batchKeyOf = (pool: string, machine: AksMachine): string =>
  `${pool}/${createHash('sha256')
    .update(canonical(sharedBodyOf(machine) as JsonObject))
    .digest('hex')
    .slice(0, 16)}`

/**
 * One request for all of them: to the address of the first, with what they share as its body, and every one of them in
 * the header (Z-BAT-03).
 */
export const batchRequestOf = (
  entries: readonly [BatchEntry, ...ReadonlyArray<BatchEntry>],
): { readonly name: string; readonly body: AksMachine; readonly header: string } => ({
  name: entries[0].name,
  body: sharedBodyOf(entries[0].body),
  header: JSON.stringify({
    batchMachines: entries.map(({ name, body }) => ({
      machineName: name,
      zones: body.zones ?? [],
      tags: body.properties?.['tags'] ?? {},
    })),
  }),
})

interface Detail {
  readonly code?: unknown
  readonly message?: unknown
  readonly target?: unknown
}

/**
 * What became of each machine of a batch that failed: its own error, or none (Z-BAT-04).
 *
 * Errors that name machines concern those; the others were made. Any other error concerns all.
 *
 * Errors: Left where it cannot be told: no details, details without a machine, or with one of another batch. Then all
 * machines are in doubt, and whoever asks looks them up.
 */
export const errorsOfBatch = (
  error: ArmError,
  names: ReadonlyArray<string>,
): E.Either<string, ReadonlyMap<string, ArmError>> => {
  if (error.code !== 'BatchMachineClientError' && error.code !== 'BatchMachineInternalServerError')
    return E.right(new Map(names.map((name) => [name, error])))
  const details = error.code === 'BatchMachineClientError' ? (error.details ?? []) : detailsIn(error.message)
  if (details.length === 0) return E.left(`Cannot tell which machines failed: ${error.code} came without details`)
  const found = new Map<string, ArmError>()
  for (const { code, message, target } of details) {
    if (typeof target !== 'string' || !names.includes(target))
      return E.left(`Cannot tell which machines failed: ${error.code} names ${JSON.stringify(target) ?? 'none'}`)
    const { details: _, ...rest } = error
    found.set(target, { ...rest, code: textOf(code), message: textOf(message) })
  }
  return E.right(found)
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

// Inner errors of the service come as JSON within the text of the message.
const detailsIn = (message: string): ReadonlyArray<Detail> => {
  try {
    const { details } = JSON.parse(message) as { readonly details?: unknown }
    return Array.isArray(details) ? (details as ReadonlyArray<Detail>) : []
  } catch {
    return []
  }
}
