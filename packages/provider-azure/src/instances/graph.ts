import type { VirtualMachine } from '@azure/arm-compute'
import type { CancelSignal, JsonObject } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { ArmError, ResourceGraphPort } from '../sdk/index.ts'
import { tagKeys } from '../tags/index.ts'

/** The query for resources of a type that bear the mark of a NodePool and are no machines of AKS (Z-LIST-01). */
export const graphQuery = (type: string, resourceGroup: string): string =>
  [
    'Resources',
    `| where type == '${type.toLowerCase()}'`,
    `| where resourceGroup == '${resourceGroup.toLowerCase()}'`,
    `| where tags has_cs '${tagKeys.nodePool}'`,
    `| where not(tags has_cs '${tagKeys.machineClaim}')`,
  ].join('\n')

/** A list of VMs out of Resource Graph, which is seconds behind, and what of it cannot be read. */
export interface GraphVms {
  readonly vms: ReadonlyArray<VirtualMachine>
  readonly unreadable: ReadonlyArray<string>
}

/** VMs by Resource Graph: it has quotas of its own, and answers where Compute is throttled. */
export const vmsInGraph = (
  graph: Pick<ResourceGraphPort, 'query'>,
  resourceGroup: string,
  signal: CancelSignal,
): TE.TaskEither<ArmError, GraphVms> =>
  pipe(
    graph.query({ query: graphQuery('Microsoft.Compute/virtualMachines', resourceGroup) }, signal),
    TE.map((rows) => {
      const read = rows.map(vmOfRow)
      return {
        vms: read.flatMap((row) => (E.isRight(row) ? [row.right] : [])),
        unreadable: read.flatMap((row) => (E.isLeft(row) ? [row.left] : [])),
      }
    }),
  )

/**
 * A row as a VM (Z-LIST-02). The name in lower case, for Resource Graph does not keep to one.
 *
 * Errors: Left for a row without id, name or tags. It costs that row, where the reference gives up the list (W-17).
 */
export const vmOfRow = (row: JsonObject): E.Either<string, VirtualMachine> => {
  const { id, name, tags, properties } = row
  if (typeof id !== 'string' || typeof name !== 'string' || typeof tags !== 'object' || tags === null)
    return E.left(
      `Resource Graph lists a VM without ${typeof id !== 'string' ? 'id' : typeof name !== 'string' ? 'name' : 'tags'}: ${JSON.stringify(id ?? name ?? null)}`,
    )
  const { timeCreated, ...inner } = (properties ?? {}) as JsonObject
  const { zones, identity, location } = row
  return E.right({
    ...inner,
    id: id.replace(/[^/]+$/, (last) => last.toLowerCase()),
    name: name.toLowerCase(),
    location: typeof location === 'string' ? location : '',
    tags: tags as Record<string, string>,
    ...(Array.isArray(zones) && { zones: zones as Array<string> }),
    ...(identity !== undefined &&
      identity !== null && { identity: identity as NonNullable<VirtualMachine['identity']> }),
    ...(typeof timeCreated === 'string' && { timeCreated: new Date(timeCreated) }),
  } as VirtualMachine)
}
