import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isNotFound } from '../error-codes.ts'
import type { PlacementGroup } from '../instance-types/index.ts'
import type { Ec2NodeClass } from '../node-class/index.ts'
import type { AwsError, Ec2Port } from '../sdk/index.ts'

const refreshMs = 60_000
const lastGoodMs = 86_400_000

/** The placement group that a NodeClass selects. */
export interface PlacementGroupFinder {
  /** `undefined`: there is no such group, or no selector. Errors: the look-up failed; `known` may still tell. */
  readonly find: (nodeClass: Ec2NodeClass, signal: CancelSignal) => TaskEither<AwsError, PlacementGroup | undefined>
  /** As last found, for a day, whatever happened since; the same object while it is the same. */
  readonly known: (nodeClass: Ec2NodeClass) => PlacementGroup | undefined
  /** Whether a look-up has ended since this process began; without it `known` tells nothing. */
  readonly isKnown: (nodeClass: Ec2NodeClass) => boolean
}

export const placementGroupFinder = (options: {
  readonly ec2: Pick<Ec2Port, 'describePlacementGroups'>
  readonly nowMs: () => number
}): PlacementGroupFinder => {
  const { ec2, nowMs } = options
  const found = new Map<string, { readonly group: PlacementGroup | undefined; readonly atMs: number }>()
  const keyOf = ({ spec: { placementGroupSelector: selector } }: Ec2NodeClass): string | undefined =>
    selector === undefined ? undefined : (selector.id ?? `name:${selector.name ?? ''}`)

  return {
    find: (nodeClass, signal) => async () => {
      const key = keyOf(nodeClass)
      const selector = nodeClass.spec.placementGroupSelector
      if (key === undefined || selector === undefined) return E.right(undefined)
      const present = found.get(key)
      if (present !== undefined && nowMs() - present.atMs < refreshMs) return E.right(present.group)
      const answer = await ec2.describePlacementGroups(
        {
          ...(selector.id === undefined ? { GroupNames: [selector.name ?? ''] } : { GroupIds: [selector.id] }),
          Filters: [{ Name: 'state', Values: ['available'] }],
        },
        signal,
      )()
      if (E.isLeft(answer) && !isNotFound(answer.left)) return answer
      const first = E.isLeft(answer) ? undefined : answer.right.PlacementGroups?.[0]
      const group: PlacementGroup | undefined =
        first?.GroupId === undefined
          ? undefined
          : {
              id: first.GroupId,
              ...(first.GroupName !== undefined && { name: first.GroupName }),
              strategy: first.Strategy === 'partition' || first.Strategy === 'spread' ? first.Strategy : 'cluster',
              ...(first.PartitionCount !== undefined && { partitionCount: first.PartitionCount }),
            }
      const isSame = JSON.stringify(group) === JSON.stringify(present?.group)
      found.set(key, { group: isSame ? present?.group : group, atMs: nowMs() })
      return E.right(found.get(key)?.group)
    },
    known: (nodeClass) => {
      const present = found.get(keyOf(nodeClass) ?? '')
      return present !== undefined && nowMs() - present.atMs < lastGoodMs ? present.group : undefined
    },
    isKnown: (nodeClass) => {
      const key = keyOf(nodeClass)
      return key === undefined || found.has(key)
    },
  }
}
