import { paged, refused, route, shown, type ArmRequest, type Route } from './route.ts'
import type { World } from './world.ts'

/** Operations, Resource Graph, tokens and retail prices. */
export const otherRoutes: ReadonlyArray<Route> = [
  route(
    'GET',
    '/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/operations/{operation}',
    '',
    (_, world, { operation = '' }) => {
      const begun = world.operations.get(operation)
      if (begun === undefined) return refused({ status: 404, code: 'NotFound', message: 'There is no such operation.' })
      if (world.nowMs() < begun.doneAtMs)
        return { status: 200, body: { status: 'InProgress' }, headers: { 'Retry-After': '0' } }
      if (begun.error === undefined) return { status: 200, body: { status: 'Succeeded' } }
      const { code, message, details } = begun.error
      return {
        status: 200,
        body: { status: 'Failed', error: { code, message, ...(details === undefined ? {} : { details }) } },
      }
    },
  ),
  route('POST', '/providers/Microsoft.ResourceGraph/resources', 'Microsoft.ResourceGraph/resources/read', graph),
  route('GET', '/{tenant}/v2.0/.well-known/openid-configuration', '', ({ origin }, _, { tenant = '' }) => ({
    status: 200,
    body: {
      issuer: `${origin}/${tenant}/v2.0`,
      authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
      token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
      jwks_uri: `${origin}/${tenant}/discovery/v2.0/keys`,
    },
  })),
  route('POST', '/{tenant}/oauth2/v2.0/token', '', () => ({ status: 200, body: token })),
  route('GET', '/metadata/identity/oauth2/token', '', ({ headers, query }, world) =>
    headers['metadata'] === 'true'
      ? {
          status: 200,
          body: {
            access_token: token.access_token,
            expires_in: String(token.expires_in),
            expires_on: String(Math.floor(world.nowMs() / 1000) + token.expires_in),
            resource: query.get('resource'),
            token_type: 'Bearer',
          },
        }
      : refused({ status: 400, code: 'bad_request', message: 'Required metadata header not specified' }),
  ),
  route('GET', '/api/retail/prices', '', (request, world) => {
    const items = world.sizes.flatMap((size) => pricesOf(size, world.location))
    const { body } = paged(request, items, world.pageSize * 4)
    const { value, nextLink } = body as { readonly value: ReadonlyArray<unknown>; readonly nextLink?: string }
    return {
      status: 200,
      body: { BillingCurrency: 'USD', Items: value, NextPageLink: nextLink ?? null, Count: value.length },
    }
  }),
]

const token = { token_type: 'Bearer', expires_in: 3600, ext_expires_in: 3600, access_token: 'emulated' }

/**
 * Resource Graph, as far as the two lists of the provider ask: resources of one type, in one group, by the keys of
 * their tags. What else a query says is not understood, and refused.
 */
function graph(request: ArmRequest, world: World) {
  const { query = '', options = {} } = request.body as {
    readonly query?: string
    readonly options?: { readonly $skipToken?: string; readonly $top?: number }
  }
  const [, type] = /type\s*=~?=?\s*['"]([^'"]+)['"]/i.exec(query) ?? []
  const [, group] = /resourceGroup\s*=~?=?\s*\(?\s*['"]?([^'")\s]+)/i.exec(query.replace(/tolower\(/gi, '(')) ?? []
  if (type === undefined || group === undefined)
    return refused({ status: 400, code: 'InvalidQuery', message: `Query is invalid: ${query}` })
  const keys = [...query.matchAll(/(not\s*\(?\s*)?(?:\(?\s*)tags\s+(!?)has_cs\s+['"]([^'"]+)['"]/gi)].map(
    ([, negation, mark, key = '']) => ({ key, isWanted: negation === undefined && mark !== '!' }),
  )
  const rows = world
    .graph(type)
    .filter(({ id }) => id.toLowerCase().includes(`/resourcegroups/${group.toLowerCase()}/`))
    .filter(({ tags }) => keys.every(({ key, isWanted }) => JSON.stringify(tags).includes(key) === isWanted))
    .map((one) => ({ ...shown(world, one), type: type.toLowerCase(), resourceGroup: group.toLowerCase() }))
  const start = Number(options.$skipToken ?? 0)
  const size = options.$top ?? 1000
  const isTruncated = start + size < rows.length
  return {
    status: 200,
    body: {
      totalRecords: rows.length,
      count: Math.min(size, rows.length - start),
      resultTruncated: 'false',
      ...(isTruncated ? { $skipToken: String(start + size) } : {}),
      data: rows.slice(start, start + size),
      facets: [],
    },
  }
}

const pricesOf = ({ name, price }: World['sizes'][number], location: string) => {
  const item = (productName: string, suffix: string, retailPrice: number) => ({
    currencyCode: 'USD',
    armRegionName: location,
    armSkuName: name,
    skuName: `${name.slice('Standard_'.length)}${suffix}`,
    meterName: `${name.slice('Standard_'.length)}${suffix}`,
    productName,
    retailPrice,
    unitPrice: retailPrice,
    unitOfMeasure: '1 Hour',
    serviceName: 'Virtual Machines',
    type: 'Consumption',
    isPrimaryMeterRegion: true,
  })
  // Windows and low priority are in the list, and are not ours.
  return [
    item('Virtual Machines Series', '', price),
    item('Virtual Machines Series', ' Spot', price / 5),
    item('Virtual Machines Series', ' Low Priority', price / 4),
    item('Virtual Machines Series Windows', '', price * 2),
  ]
}
