import type { ArmError } from './arm-error.ts'

/** What an answer of Azure said, as far as errors go. */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

interface ThrownBySdk {
  readonly name?: unknown
  readonly code?: unknown
  readonly message?: unknown
  readonly statusCode?: unknown
  readonly status?: unknown
}

interface ErrorBody {
  readonly code?: unknown
  readonly message?: unknown
  readonly details?: unknown
  readonly target?: unknown
}

const credentialErrors: ReadonlySet<unknown> = new Set([
  'CredentialUnavailableError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'AuthenticationRequiredError',
])
const networkCode = /^(E[A-Z_]+|UND_ERR_[A-Z_]+|REQUEST_SEND_ERROR|PARSE_ERROR)$/

/**
 * What a client of the SDK threw, as an error of the port; `undefined` for a bug, which is not caught.
 *
 * The SDK's errors lack the details that services send; `answered` is the answer as it came, and is asked first.
 */
export const armErrorOf = (action: string, thrown: unknown, answered: Answered | undefined): ArmError | undefined => {
  const error = (thrown ?? {}) as ThrownBySdk
  const message = typeof error.message === 'string' ? error.message : String(thrown)
  const made = (code: string): ArmError => ({ action, code, message, phase: 'request', cause: thrown })
  if (error.name === 'AbortError') return { ...made('Cancelled'), message: `${action} was cancelled` }
  if (credentialErrors.has(error.name)) return made('CredentialsMissing')
  if (answered !== undefined && answered.status >= 400) return { ...errorIn(action, answered), cause: thrown }
  if (error.name === 'RestError') {
    if (typeof error.code === 'string' && networkCode.test(error.code))
      return made(error.code === 'PARSE_ERROR' ? 'UnreadableAnswer' : 'Unreachable')
    return made(typeof error.code === 'string' ? error.code : 'UnreadableAnswer')
  }
  if (typeof error.code === 'string' && networkCode.test(error.code)) return made('Unreachable')
  return undefined
}

/** The error that an answer states, wrapped in `error` as ARM does or flat as some services do. */
export const errorIn = (action: string, { status, headers, text }: Answered): ArmError => {
  const body = parsed(text)
  const stated = ((body as { readonly error?: unknown } | undefined)?.error ?? body ?? {}) as ErrorBody
  const seconds = Number(headers['retry-after'])
  const requestId = headers['x-ms-request-id']
  const details = detailsOf(stated.details)
  return {
    action,
    code: textOf(stated.code) ?? headers['x-ms-error-code'] ?? `Http${status}`,
    message: textOf(stated.message) ?? `${action} was answered with status ${status}`,
    status,
    phase: 'request',
    ...(details.length > 0 && { details }),
    ...(requestId !== undefined && { requestId }),
    ...(headers['retry-after'] !== undefined && Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
  }
}

const detailsOf = (details: unknown): NonNullable<ArmError['details']> =>
  (Array.isArray(details) ? (details as ReadonlyArray<ErrorBody>) : []).map(({ code, message, target }) => ({
    code: textOf(code) ?? '',
    message: textOf(message) ?? '',
    ...(textOf(target) !== undefined && { target: textOf(target) ?? '' }),
  }))

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
