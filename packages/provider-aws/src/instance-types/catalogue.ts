import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import type { CancelSignal } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { everyPage, type AwsError, type Ec2Port } from '../sdk/index.ts'

/** The types of a region and where they are sold, as EC2 last told. */
export interface Catalogue {
  /** By name, in code-unit order. */
  readonly types: ReadonlyMap<string, InstanceTypeInfo>
  readonly zonesOfType: ReadonlyMap<string, ReadonlySet<string>>
  /** All zones in which anything is sold, in code-unit order. */
  readonly zones: ReadonlyArray<string>
}

const none: ReadonlySet<string> = new Set()

/** The zones in which EC2 offers the type. */
export const soldIn = ({ zonesOfType }: Catalogue, type: string): ReadonlySet<string> => zonesOfType.get(type) ?? none

/**
 * A catalogue from what EC2 tells of types and of the places where they are sold.
 *
 * The same facts give equal catalogues, whatever the order they come in.
 */
export const catalogueOf = (
  types: ReadonlyArray<InstanceTypeInfo>,
  places: ReadonlyArray<{ readonly type: string; readonly zone: string }>,
): Catalogue => {
  const zonesOfType = new Map<string, Set<string>>()
  const zones = new Set<string>()
  for (const { type, zone } of places) {
    zones.add(zone)
    zonesOfType.set(type, (zonesOfType.get(type) ?? new Set<string>()).add(zone))
  }
  const named = types.flatMap((info) =>
    info.InstanceType === undefined ? [] : [[String(info.InstanceType), info] as const],
  )
  return {
    types: new Map(named.sort(([a], [b]) => (a < b ? -1 : 1))),
    zonesOfType,
    zones: [...zones].sort(),
  }
}

/**
 * Reads the catalogue of the region, types and places at once (A-ITP-01…03).
 *
 * Errors: Left where EC2 does not answer, or answers with nothing.
 */
export const loadCatalogue = async (
  ec2: Pick<Ec2Port, 'describeInstanceTypes' | 'describeInstanceTypeOfferings'>,
  signal: CancelSignal,
): Promise<E.Either<AwsError, Catalogue>> => {
  const [types, places] = await Promise.all([
    everyPage(
      ec2.describeInstanceTypes,
      {
        MaxResults: 100,
        Filters: [
          { Name: 'supported-virtualization-type', Values: ['hvm'] },
          { Name: 'processor-info.supported-architecture', Values: ['x86_64', 'arm64'] },
        ],
      },
      signal,
      ({ InstanceTypes }) => InstanceTypes,
    )(),
    everyPage(
      ec2.describeInstanceTypeOfferings,
      { MaxResults: 1000, LocationType: 'availability-zone' },
      signal,
      ({ InstanceTypeOfferings }) => InstanceTypeOfferings,
    )(),
  ])
  if (E.isLeft(types)) return types
  if (E.isLeft(places)) return places
  if (types.right.length === 0) return E.left(empty('ec2:DescribeInstanceTypes', 'instance types'))
  if (places.right.length === 0)
    return E.left(empty('ec2:DescribeInstanceTypeOfferings', 'offerings of instance types'))
  return E.right(
    catalogueOf(
      types.right,
      places.right.flatMap(({ InstanceType, Location }) =>
        InstanceType === undefined || Location === undefined ? [] : [{ type: String(InstanceType), zone: Location }],
      ),
    ),
  )
}

const empty = (action: string, what: string): AwsError => ({
  action,
  code: 'EmptyAnswer',
  message: `Cannot load the catalogue: EC2 lists no ${what}`,
})
