import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { AwsAnswer } from './answer.ts'
import type { PricedType } from './prices.ts'
import type { AwsRequest } from './request.ts'
import { parseXml, type Element } from './xml.ts'

/** moto behind the proxy, and what the proxy has to know of it. */
export interface Backend {
  readonly region: string
  readonly forward: (request: AwsRequest, body?: string) => Promise<AwsAnswer>
  /** An action of the query protocol of the proxy's own, not counted. */
  readonly query: (service: 'ec2' | 'iam', parameters: Readonly<Record<string, string>>) => Promise<Element>
  readonly types: ReadonlyMap<string, PricedType>
  readonly zonesOf: (type: string) => ReadonlyArray<string>
  readonly zoneOfSubnet: (subnetId: string) => Promise<string>
}

interface TypeInfo {
  readonly VCpuInfo?: { readonly DefaultVCpus?: number }
  readonly MemoryInfo?: { readonly SizeInMiB?: number }
  readonly GpuInfo?: { readonly Gpus?: ReadonlyArray<{ readonly Count?: number }> }
}

export const motoBackend = (options: {
  readonly home: string
  readonly url: string
  readonly region: string
}): Backend => {
  const { home, url, region } = options
  const [python = ''] = readdirSync(join(home, 'lib'))
  const resources = join(home, 'lib', python, 'site-packages', 'moto', 'ec2', 'resources')
  const rows = JSON.parse(gunzipSync(readFileSync(join(resources, 'instance_types.json.gz'))).toString()) as Readonly<
    Record<string, TypeInfo>
  >
  const types = new Map(
    Object.entries(rows).map(([name, { VCpuInfo, MemoryInfo, GpuInfo }]) => [
      name,
      {
        name,
        vcpus: VCpuInfo?.DefaultVCpus ?? 1,
        memoryMiB: MemoryInfo?.SizeInMiB ?? 512,
        gpus: (GpuInfo?.Gpus ?? []).reduce((sum, { Count = 0 }) => sum + Count, 0),
      },
    ]),
  )
  const zones = new Map<string, Array<string>>()
  const offered = JSON.parse(
    gunzipSync(
      readFileSync(join(resources, 'instance_type_offerings', 'availability-zone', `${region}.json.gz`)),
    ).toString(),
  ) as ReadonlyArray<{ readonly InstanceType: string; readonly Location: string }>
  for (const { InstanceType, Location } of offered)
    zones.set(InstanceType, [...(zones.get(InstanceType) ?? []), Location])

  const forward: Backend['forward'] = async ({ method, path, headers, body }, changed = body) => {
    const { host: _host, 'content-length': _length, connection: _connection, ...rest } = headers
    const response = await fetch(url + path, {
      method,
      headers: rest as Record<string, string>,
      ...(method !== 'GET' && method !== 'HEAD' && { body: changed }),
    })
    return {
      status: response.status,
      contentType: response.headers.get('content-type') ?? 'text/plain',
      body: await response.text(),
    }
  }
  const query: Backend['query'] = async (service, parameters) => {
    const version = service === 'ec2' ? '2016-11-15' : '2010-05-08'
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `AWS4-HMAC-SHA256 Credential=proxy/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: new URLSearchParams({ Version: version, ...parameters }).toString(),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`moto refuses ${parameters['Action']}: ${text}`)
    return parseXml(text)
  }
  const subnets = new Map<string, Promise<string>>()
  const zoneOfSubnet = (subnetId: string): Promise<string> => {
    const present = subnets.get(subnetId)
    if (present !== undefined) return present
    const found = query('ec2', { Action: 'DescribeSubnets', 'SubnetId.1': subnetId }).then((answer) =>
      findText(answer, 'availabilityZone'),
    )
    subnets.set(subnetId, found)
    return found
  }
  return { region, forward, query, types, zonesOf: (type) => zones.get(type) ?? [], zoneOfSubnet }
}

/** The text of the first element of a name, however deep. */
export const findText = (root: Element, name: string): string => {
  if (root.name === name && root.children.length === 0) return root.text
  for (const child of root.children) {
    const found = findText(child, name)
    if (found !== '') return found
  }
  return ''
}

/** Every element of a name, however deep. */
export const findAll = (root: Element, name: string): ReadonlyArray<Element> =>
  root.children.flatMap((child) => (child.name === name ? [child] : findAll(child, name)))
