import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import * as E from 'fp-ts/lib/Either.js'
import { withAbortSignal } from '@scantling/provider-kit'
import type { AwsError } from './aws-error.ts'
import type { ManagedResource, ZonalShiftPort } from './ports.ts'
import { domainOf } from './region.ts'
import { awsErrorOf } from './sdk-error.ts'

type Credentials = ConstructorParameters<typeof SignatureV4>[0]['credentials']

const action = 'arc-zonal-shift:GetManagedResource'

/**
 * The one call of Application Recovery Controller, signed by the SDK's signer and sent as it is.
 *
 * Source: the service's API reference, GetManagedResource.
 */
export const zonalShiftPort = (options: {
  readonly region: string
  readonly endpoint: string
  readonly credentials: Credentials
  readonly userAgent: string
}): ZonalShiftPort => {
  const { region, credentials, userAgent } = options
  const endpoint = options.endpoint === '' ? `https://arc-zonal-shift.${region}.${domainOf(region)}` : options.endpoint
  const signer = new SignatureV4({ credentials, region, service: 'arc-zonal-shift', sha256: Sha256 })
  return {
    getManagedResource:
      ({ resourceIdentifier }, signal) =>
      async () => {
        const { protocol, hostname, port, host } = new URL(endpoint)
        const path = `/managedresources/${encodeURIComponent(resourceIdentifier)}`
        try {
          const signed = await signer.sign({
            method: 'GET',
            protocol,
            hostname,
            ...(port !== '' && { port: Number(port) }),
            path,
            query: {},
            headers: { host, 'user-agent': userAgent },
          })
          return await withAbortSignal(signal, async (abortSignal) => {
            const { host: _sentByFetch, ...headers } = signed.headers
            const response = await fetch(`${protocol}//${host}${path}`, { headers, signal: abortSignal })
            const body = await response.text()
            return response.ok ? E.right(managedResourceOf(body)) : E.left(errorOf(response, body))
          })
        } catch (thrown) {
          const error = awsErrorOf(action, thrown)
          if (error === undefined) throw thrown
          return E.left(error)
        }
      },
  }
}

interface Answer {
  readonly arn?: string
  readonly zonalShifts?: ReadonlyArray<{
    readonly awayFrom?: string
    readonly appliedStatus?: string
    /** Seconds since the epoch. */
    readonly expiryTime?: number
  }>
}

const managedResourceOf = (body: string): ManagedResource => {
  const { arn, zonalShifts = [] } = JSON.parse(body) as Answer
  return {
    ...(arn !== undefined && { arn }),
    zonalShifts: zonalShifts.map(({ awayFrom = '', appliedStatus = '', expiryTime = 0 }) => ({
      awayFrom,
      appliedStatus,
      expiryTimeMs: expiryTime * 1000,
    })),
  }
}

const errorOf = (response: Response, body: string): AwsError => {
  const requestId = response.headers.get('x-amzn-requestid') ?? undefined
  const type = response.headers.get('x-amzn-errortype')?.split(':')[0] ?? ''
  let message = body
  try {
    message = (JSON.parse(body) as { readonly message?: string }).message ?? body
  } catch {
    // Not every answer between us and the service is the service's.
  }
  return {
    action,
    code: type === '' ? 'UnreadableAnswer' : type,
    message,
    httpStatus: response.status,
    ...(requestId !== undefined && { requestId }),
  }
}

/** The hash that the signer asks for, by Node's crypto. */
class Sha256 {
  private hash: Hash | Hmac
  private readonly start: () => Hash | Hmac
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.start = () => (secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret)))
    this.hash = this.start()
  }
  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.hash.update(bytesOf(chunk))
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.hash.digest()))
  }
  reset(): void {
    this.hash = this.start()
  }
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Buffer =>
  typeof data === 'string'
    ? Buffer.from(data)
    : data instanceof ArrayBuffer
      ? Buffer.from(data)
      : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
