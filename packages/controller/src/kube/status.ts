import type { PatchBody } from './client.ts'
import type { KubeError, StatusCause } from './kube-error.ts'

interface Status {
  readonly message?: unknown
  readonly reason?: unknown
  readonly code?: unknown
  readonly details?: { readonly causes?: unknown; readonly retryAfterSeconds?: unknown }
}

/**
 * Turns a refusal (an HTTP status with a Kubernetes `Status` body, or anything else as body) into a `KubeError`.
 *
 * Classified by code and reason, never by message text. `retryAfter` is the header's value.
 */
export const errorOfStatus = (
  action: string,
  code: number,
  body: unknown,
  retryAfter: string | undefined,
): KubeError => {
  const status: Status = typeof body === 'object' && body !== null ? body : {}
  const reason = typeof status.reason === 'string' && status.reason !== '' ? status.reason : undefined
  const said = typeof status.message === 'string' && status.message !== '' ? status.message : `HTTP status ${code}`
  const retryAfterMs = secondsToMs(status.details?.retryAfterSeconds) ?? secondsToMs(retryAfter)
  const base = {
    message: `Cannot ${action}: ${said}`,
    status: code,
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
  switch (code) {
    case 400:
    case 422:
      return { _tag: 'Invalid', ...base, causes: causesOf(status) }
    case 401:
      return {
        _tag: 'Forbidden',
        ...base,
        message: `${base.message}; the credentials are missing or expired, check the kubeconfig or service account`,
      }
    case 403:
      return { _tag: 'Forbidden', ...base }
    case 404:
      return { _tag: 'NotFound', ...base }
    case 409:
      return { _tag: reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict', ...base }
    case 410:
      return { _tag: 'Gone', ...base }
    case 429:
      return { _tag: 'TooManyRequests', ...base, causes: causesOf(status) }
    case 504:
      return { _tag: 'Timeout', ...base }
    default:
      return { _tag: 'Unknown', ...base }
  }
}

/**
 * A refusal of a patch, for what it is: a JSON patch is Invalid without naming a field when one of its tests failed, so
 * what was read is no longer so.
 */
export const errorOfPatch = (patch: PatchBody, error: KubeError): KubeError =>
  patch.type === 'json' &&
  error.status === 422 &&
  error._tag === 'Invalid' &&
  error.causes.every(({ field }) => field === undefined)
    ? { _tag: 'Conflict', message: error.message, status: error.status }
    : error

const causesOf = (status: Status): ReadonlyArray<StatusCause> => {
  const causes = status.details?.causes
  if (!Array.isArray(causes)) return []
  return causes.map((cause: { reason?: unknown; message?: unknown; field?: unknown }) => ({
    reason: typeof cause?.reason === 'string' ? cause.reason : '',
    message: typeof cause?.message === 'string' ? cause.message : '',
    ...(typeof cause?.field === 'string' ? { field: cause.field } : {}),
  }))
}

const secondsToMs = (value: unknown): number | undefined => {
  const seconds = typeof value === 'string' ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined
}
