import type { Filter, Subnet } from '@aws-sdk/client-ec2'
import type { CancelSignal } from '@scantling/core'
import { memoize, traverseBounded } from '@scantling/provider-kit'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Ec2NodeClass, ResolvedSubnet, SubnetSelectorTerm } from '../node-class/index.ts'
import { everyPage, type AwsError, type Ec2Port } from '../sdk/index.ts'
import type { AddressLedger } from './address-ledger.ts'
import { tagFilters } from './tag-filters.ts'

const pageSize = 500
const queriesAtOnce = 5

export interface FoundSubnet extends ResolvedSubnet {
  readonly freeAddresses: number
}

/** The subnets that a NodeClass selects, as of the last refresh. */
export interface SubnetFinder {
  /** Those with most free addresses first, then by id. */
  readonly find: (nodeClass: Ec2NodeClass, signal: CancelSignal) => TE.TaskEither<AwsError, ReadonlyArray<FoundSubnet>>
}

/** Finds subnets and tells the ledger what is free in them. */
export const subnetFinder = (options: {
  readonly ec2: Pick<Ec2Port, 'describeSubnets'>
  readonly addresses: Pick<AddressLedger, 'observe'>
  readonly refreshMs: number
  readonly nowMs: () => number
}): SubnetFinder => {
  const { ec2, addresses, refreshMs, nowMs } = options
  const cache = memoize<
    { readonly nodeClass: Ec2NodeClass; readonly signal: CancelSignal },
    AwsError,
    ReadonlyArray<FoundSubnet>
  >({
    idOf: ({ nodeClass: { metadata } }) => `${metadata.uid}-${metadata.generation}`,
    ttlMs: refreshMs,
    nowMs,
    load: ({ nodeClass, signal }) =>
      pipe(
        queriesOf(nodeClass.spec.subnetSelectorTerms),
        traverseBounded(queriesAtOnce, (filters) =>
          everyPage(ec2.describeSubnets, { Filters: filters, MaxResults: pageSize }, signal, ({ Subnets }) => Subnets),
        ),
        TE.map((answers) => {
          const found = unionOf(answers.flat())
          for (const { id, freeAddresses } of found) addresses.observe(id, freeAddresses)
          return found
        }),
      ),
  })
  return { find: (nodeClass, signal) => cache.get({ nodeClass, signal }) }
}

/** One query for all ids, and one for each set of tags. */
const queriesOf = (terms: ReadonlyArray<SubnetSelectorTerm>): ReadonlyArray<Array<Filter>> => {
  const ids = terms.flatMap(({ id }) => (id === undefined ? [] : [id]))
  return [
    ...(ids.length > 0 ? [[{ Name: 'subnet-id', Values: ids }]] : []),
    ...terms.flatMap(({ id, tags }) => (id === undefined ? [tagFilters(tags)] : [])),
  ]
}

const unionOf = (subnets: ReadonlyArray<Subnet>): ReadonlyArray<FoundSubnet> => {
  const byId = new Map<string, FoundSubnet>()
  for (const { SubnetId, AvailabilityZone = '', AvailabilityZoneId, AvailableIpAddressCount = 0 } of subnets)
    if (SubnetId !== undefined)
      byId.set(SubnetId, {
        id: SubnetId,
        zone: AvailabilityZone,
        ...(AvailabilityZoneId !== undefined && { zoneID: AvailabilityZoneId }),
        freeAddresses: AvailableIpAddressCount,
      })
  return [...byId.values()].sort((a, b) => b.freeAddresses - a.freeAddresses || (a.id < b.id ? -1 : 1))
}
