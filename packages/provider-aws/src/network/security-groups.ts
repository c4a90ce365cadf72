import type { Filter } from '@aws-sdk/client-ec2'
import type { CancelSignal } from '@scantling/core'
import { memoize, traverseBounded } from '@scantling/provider-kit'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Ec2NodeClass, ResolvedSecurityGroup, SecurityGroupSelectorTerm } from '../node-class/index.ts'
import { everyPage, type AwsError, type Ec2Port } from '../sdk/index.ts'
import { tagFilters } from './tag-filters.ts'

const pageSize = 500
const queriesAtOnce = 5
const refreshMs = 60_000

/** The security groups that a NodeClass selects, by id; all of them are attached. */
export interface SecurityGroupFinder {
  readonly find: (
    nodeClass: Ec2NodeClass,
    signal: CancelSignal,
  ) => TE.TaskEither<AwsError, ReadonlyArray<ResolvedSecurityGroup>>
}

export const securityGroupFinder = (options: {
  readonly ec2: Pick<Ec2Port, 'describeSecurityGroups'>
  readonly nowMs: () => number
}): SecurityGroupFinder => {
  const { ec2, nowMs } = options
  const cache = memoize<
    { readonly nodeClass: Ec2NodeClass; readonly signal: CancelSignal },
    AwsError,
    ReadonlyArray<ResolvedSecurityGroup>
  >({
    idOf: ({ nodeClass: { metadata } }) => `${metadata.uid}-${metadata.generation}`,
    ttlMs: refreshMs,
    nowMs,
    load: ({ nodeClass, signal }) =>
      pipe(
        queriesOf(nodeClass.spec.securityGroupSelectorTerms),
        traverseBounded(queriesAtOnce, (filters) =>
          everyPage(
            ec2.describeSecurityGroups,
            { Filters: filters, MaxResults: pageSize },
            signal,
            ({ SecurityGroups }) => SecurityGroups,
          ),
        ),
        TE.map((answers) => {
          const byId = new Map<string, ResolvedSecurityGroup>()
          for (const { GroupId, GroupName } of answers.flat())
            if (GroupId !== undefined)
              byId.set(GroupId, { id: GroupId, ...(GroupName !== undefined && { name: GroupName }) })
          return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
        }),
      ),
  })
  return { find: (nodeClass, signal) => cache.get({ nodeClass, signal }) }
}

/** One query for all ids, one for all names, and one for each set of tags. */
const queriesOf = (terms: ReadonlyArray<SecurityGroupSelectorTerm>): ReadonlyArray<Array<Filter>> => {
  const ids = terms.flatMap(({ id }) => (id === undefined ? [] : [id]))
  const names = terms.flatMap(({ id, name }) => (id !== undefined || name === undefined ? [] : [name]))
  return [
    ...(ids.length > 0 ? [[{ Name: 'group-id', Values: ids }]] : []),
    ...(names.length > 0 ? [[{ Name: 'group-name', Values: names }]] : []),
    ...terms.flatMap(({ id, name, tags }) => (id === undefined && name === undefined ? [tagFilters(tags)] : [])),
  ]
}
