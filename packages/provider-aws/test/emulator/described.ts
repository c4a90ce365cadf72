import { errorAnswer, jsonAnswer, xmlAnswer, type AwsAnswer } from './answer.ts'
import { findText, type Backend } from './backend.ts'
import type { EmulatedState } from './emulated.ts'
import { priceOf } from './fleet.ts'
import { filtersOf, listOf, type AwsRequest } from './request.ts'
import { element, itemsOf, type Element } from './xml.ts'

const tagItems = (tags: Readonly<Record<string, string>> = {}): Element =>
  itemsOf(
    'tagSet',
    Object.entries(tags).map(([key, value]) => [element('key', key), element('value', value)]),
  )

const meetsTags = (
  filters: ReadonlyMap<string, ReadonlyArray<string>>,
  tags: Readonly<Record<string, string>> = {},
): boolean =>
  [...filters].every(([name, values]) =>
    name.startsWith('tag:')
      ? values.includes(tags[name.slice('tag:'.length)] ?? '')
      : name !== 'tag-key' || values.some((key) => Object.hasOwn(tags, key)),
  )

const meets = (filters: ReadonlyMap<string, ReadonlyArray<string>>, name: string, value: string): boolean =>
  filters.get(name)?.includes(value) ?? true

export const describePlacementGroups = ({ parameters }: AwsRequest, state: EmulatedState): AwsAnswer => {
  const filters = filtersOf(parameters)
  const ids = listOf(parameters, 'GroupId')
  const names = listOf(parameters, 'GroupName')
  const all = [...state.placementGroups.values()]
  const unknown = [
    ...ids.filter((id) => !all.some((group) => group.id === id)),
    ...names.filter((name) => !all.some((group) => group.name === name)),
  ]
  if (unknown.length > 0)
    return errorAnswer('ec2', 'InvalidPlacementGroup.Unknown', `The placement group '${unknown[0]}' is unknown`)
  const found = all.filter(
    (group) =>
      (ids.length === 0 || ids.includes(group.id)) &&
      (names.length === 0 || names.includes(group.name)) &&
      meets(filters, 'group-name', group.name) &&
      meets(filters, 'state', 'available') &&
      meets(filters, 'strategy', group.strategy) &&
      meetsTags(filters, group.tags),
  )
  return xmlAnswer('DescribePlacementGroups', [
    itemsOf(
      'placementGroupSet',
      found.map(({ id, name, strategy, partitionCount, spreadLevel, tags }) => [
        element('groupId', id),
        element('groupName', name),
        element('strategy', strategy),
        element('state', 'available'),
        ...(partitionCount === undefined ? [] : [element('partitionCount', partitionCount)]),
        ...(spreadLevel === undefined ? [] : [element('spreadLevel', spreadLevel)]),
        tagItems(tags),
      ]),
    ),
  ])
}

export const describeCapacityReservations = ({ parameters }: AwsRequest, state: EmulatedState): AwsAnswer => {
  const filters = filtersOf(parameters)
  const ids = listOf(parameters, 'CapacityReservationId')
  const missing = ids.find((id) => !state.capacityReservations.has(id))
  if (missing !== undefined)
    return errorAnswer(
      'ec2',
      'InvalidCapacityReservationId.NotFound',
      `The capacity reservation '${missing}' does not exist`,
    )
  const found = [...state.capacityReservations.values()].filter(
    (each) =>
      (ids.length === 0 || ids.includes(each.id)) &&
      meets(filters, 'state', 'active') &&
      meets(filters, 'owner-id', each.ownerId) &&
      meets(filters, 'instance-match-criteria', each.matchCriteria ?? 'targeted') &&
      meets(filters, 'instance-type', each.instanceType) &&
      meetsTags(filters, each.tags),
  )
  return xmlAnswer('DescribeCapacityReservations', [
    itemsOf(
      'capacityReservationSet',
      found.map((each) => [
        element('capacityReservationId', each.id),
        element('ownerId', each.ownerId),
        element('instanceType', each.instanceType),
        element('availabilityZone', each.zone),
        element('instanceMatchCriteria', each.matchCriteria ?? 'targeted'),
        element('reservationType', each.reservationType ?? 'default'),
        element('state', 'active'),
        element('totalInstanceCount', each.total),
        element('availableInstanceCount', each.available),
        ...(each.endsAt === undefined ? [] : [element('endDateType', 'limited'), element('endDate', each.endsAt)]),
        tagItems(each.tags),
      ]),
    ),
  ])
}

/** Spot prices of now, in pages. */
export const describeSpotPriceHistory = (
  { parameters }: AwsRequest,
  backend: Backend,
  state: EmulatedState,
  nowMs: number,
): AwsAnswer => {
  const rows = [...backend.types.keys()].flatMap((type) => backend.zonesOf(type).map((zone) => ({ type, zone })))
  const size = Math.min(Number(parameters.get('MaxResults') ?? 1000), state.pageSize)
  const from = Number(parameters.get('NextToken') || 0)
  const page = rows.slice(from, from + size)
  return xmlAnswer('DescribeSpotPriceHistory', [
    itemsOf(
      'spotPriceHistorySet',
      page.map(({ type, zone }) => [
        element('instanceType', type),
        element('productDescription', 'Linux/UNIX'),
        element('spotPrice', priceOf(backend, state, type, zone, 'spot').toFixed(6)),
        element('timestamp', new Date(nowMs).toISOString()),
        element('availabilityZone', zone),
      ]),
    ),
    element('nextToken', from + size < rows.length ? String(from + size) : ''),
  ])
}

/** On-demand prices as the price list has them: texts of JSON, a hundred a page. */
export const getProducts = ({ body }: AwsRequest, backend: Backend, state: EmulatedState): AwsAnswer => {
  const asked = JSON.parse(body) as {
    readonly NextToken?: string
    readonly Filters?: ReadonlyArray<{ readonly Field: string; readonly Value: string }>
  }
  // Bare metal has a product of its own family; both are asked for, so each type answers to one.
  const wantsMetal =
    asked.Filters?.some(({ Field, Value }) => Field === 'productFamily' && Value.includes('bare metal')) ?? false
  const names = [...backend.types.keys()].filter((name) => name.includes('metal') === wantsMetal)
  const from = Number(asked.NextToken ?? 0)
  const page = names.slice(from, from + 100)
  const next = from + 100 < names.length ? { NextToken: String(from + 100) } : {}
  return jsonAnswer({
    FormatVersion: 'aws_v1',
    ...next,
    PriceList: page.map((instanceType) =>
      JSON.stringify({
        product: { productFamily: 'Compute Instance', attributes: { instanceType } },
        terms: {
          OnDemand: {
            term: {
              priceDimensions: {
                rate: {
                  unit: 'Hrs',
                  pricePerUnit: { USD: priceOf(backend, state, instanceType, '', 'on-demand').toFixed(6) },
                },
              },
            },
          },
        },
      }),
    ),
  })
}

const imageNames: ReadonlyArray<readonly [pattern: RegExp, architecture: (path: string) => string]> = [
  [
    /^\/aws\/service\/eks\/optimized-ami\/[\d.]+\/amazon-linux-2(023)?(-arm64|-gpu)?\//,
    (path) => (/arm64/.test(path) ? 'arm64' : 'x86_64'),
  ],
  [
    /^\/aws\/service\/bottlerocket\/aws-k8s-[\d.]+(-[a-z-]+)?\/(x86_64|arm64)\//,
    (path) => (/\/arm64\//.test(path) ? 'arm64' : 'x86_64'),
  ],
  [/^\/aws\/service\/ami-windows-latest\/Windows_Server-/, () => 'x86_64'],
]

/** The tree of parameters that names AWS' images. */
export interface ImageParameters {
  /** One image is registered for each name the first time it is asked for; `undefined` for names that AWS has not. */
  readonly imageOf: (path: string) => Promise<string | undefined>
  /** Which moto forgets. */
  readonly architectureOf: (imageId: string) => string | undefined
}

export const imageParameters = (backend: Backend): ImageParameters => {
  const images = new Map<string, Promise<string>>()
  const architectures = new Map<string, string>()
  const imageOf: ImageParameters['imageOf'] = async (path) => {
    const known = imageNames.find(([pattern]) => pattern.test(path))
    if (known === undefined) return undefined
    const present = images.get(path)
    if (present !== undefined) return present
    const registered = backend
      .query('ec2', {
        Action: 'RegisterImage',
        Name: path
          .slice('/aws/service/'.length)
          .replaceAll(/[^\w.()/-]/g, '-')
          .slice(0, 128),
        Architecture: known[1](path),
        RootDeviceName: '/dev/xvda',
        VirtualizationType: 'hvm',
      })
      .then((answer) => {
        const id = findText(answer, 'imageId')
        architectures.set(id, known[1](path))
        return id
      })
    images.set(path, registered)
    return registered
  }
  return { imageOf, architectureOf: (imageId) => architectures.get(imageId) }
}

export const getParameter = async (
  request: AwsRequest,
  { imageOf }: ImageParameters,
): Promise<AwsAnswer | undefined> => {
  const { Name } = JSON.parse(request.body) as { readonly Name: string }
  if (!Name.startsWith('/aws/service/')) return undefined
  const value = await imageOf(Name)
  return value === undefined
    ? errorAnswer('ssm', 'ParameterNotFound', `There is no parameter ${Name}`)
    : jsonAnswer({ Parameter: { Name, Type: 'String', Value: value, Version: 1 } })
}

export const getManagedResource = ({ path }: AwsRequest, state: EmulatedState): AwsAnswer => {
  const arn = decodeURIComponent(path.slice('/managedresources/'.length))
  return {
    ...jsonAnswer({
      arn,
      zonalShifts: [...state.zonalShifts].map(([awayFrom, expiryMs]) => ({
        awayFrom,
        appliedStatus: 'APPLIED',
        expiryTime: Math.floor(expiryMs / 1000),
        resourceIdentifier: arn,
      })),
    }),
    contentType: 'application/json',
  }
}
