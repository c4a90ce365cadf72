import type { AwsError } from './aws-error.ts'

interface ThrownBySdk {
  readonly name?: unknown
  readonly Code?: unknown
  readonly code?: unknown
  readonly message?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> }
}

const credentialErrors: ReadonlySet<unknown> = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'ProviderError',
])
const networkCode = /^(E[A-Z_]+|UND_ERR_[A-Z_]+)$/

/**
 * What a client of the SDK threw, as an error of the port; `undefined` for a bug, which is not caught.
 *
 * Services differ in where they write their code: EC2 in both `Code` and `name`, IAM the short form in `Code`, SSM and
 * EKS in `name` alone.
 */
export const awsErrorOf = (action: string, thrown: unknown): AwsError | undefined => {
  const error = (thrown ?? {}) as ThrownBySdk
  const { name } = error
  const message = text(error.message) ?? String(thrown)
  const made = (code: string, rest: Partial<AwsError> = {}): AwsError => ({
    action,
    code,
    message,
    cause: thrown,
    ...rest,
  })
  if (name === 'AbortError') return made('Cancelled', { message: `${action} was cancelled` })
  const httpStatus = error.$metadata?.httpStatusCode ?? error.$response?.statusCode
  const requestId = error.$metadata?.requestId
  const seconds = Number(error.$response?.headers?.['retry-after'])
  const answered = {
    ...(httpStatus !== undefined && { httpStatus }),
    ...(requestId !== undefined && { requestId }),
    ...(Number.isFinite(seconds) && seconds > 0 && { retryAfterMs: seconds * 1000 }),
  }
  // A proxy's page of HTML is no answer of the service's, whatever the parser says of it.
  if (thrown instanceof SyntaxError)
    return made('UnreadableAnswer', {
      httpStatus: 500,
      ...answered,
      message: `${action} was answered with something that is not of AWS`,
    })
  if (credentialErrors.has(name)) return made('CredentialsMissing')
  const code = text(error.code)
  if (
    name === 'TimeoutError' ||
    (code !== undefined && networkCode.test(code)) ||
    (name === 'TypeError' && message === 'fetch failed') ||
    // What the SDK wrapped of a socket: no service answered, and no service calls its errors that.
    (name === 'Error' && httpStatus === undefined && error.$metadata !== undefined)
  )
    return made('Unreachable', { message: `Cannot reach ${action.split(':')[0] ?? ''} of AWS: ${message}` })
  if (error.$metadata === undefined) return undefined
  return made(text(error.Code) ?? text(name) ?? 'UnreadableAnswer', answered)
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
