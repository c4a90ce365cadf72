import { StatusError, type StatusCause } from '../face.ts'

/** What a failure is about; named in its message and in `details`. */
export interface Subject {
  readonly group: string
  /** The plural for most failures, the kind for `invalid`. */
  readonly kind: string
  readonly name?: string
}

/** One entry of a 422's causes, before it is put into words. Source: apimachinery's field errors as the API prints them. */
export interface FieldError {
  readonly field: string
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueDuplicate'
    | 'FieldValueTypeInvalid'
  /** The text after the field: `Invalid value: 0: must be positive`. */
  readonly message: string
}

const failure = (
  code: number,
  reason: string,
  message: string,
  subject?: Subject,
  more?: { readonly causes?: ReadonlyArray<StatusCause>; readonly retryAfterSeconds?: number; readonly uid?: string },
): StatusError =>
  new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(subject === undefined && more === undefined
      ? {}
      : {
          details: {
            ...(subject?.name === undefined ? {} : { name: subject.name }),
            ...(subject === undefined || subject.group === '' ? {} : { group: subject.group }),
            ...(subject === undefined ? {} : { kind: subject.kind }),
            ...more,
          },
        }),
    code,
  })

const qualified = ({ kind, group }: Subject): string => (group === '' ? kind : `${kind}.${group}`)

export const notFound = (subject: Subject): StatusError =>
  failure(404, 'NotFound', `${qualified(subject)} "${subject.name ?? ''}" not found`, subject)

export const unknownResource = (): StatusError =>
  failure(404, 'NotFound', 'the server could not find the requested resource')

export const alreadyExists = (subject: Subject): StatusError =>
  failure(409, 'AlreadyExists', `${qualified(subject)} "${subject.name ?? ''}" already exists`, subject)

export const conflict = (subject: Subject, detail: string): StatusError =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name ?? ''}": ${detail}`,
    subject,
  )

export const staleUpdate = (subject: Subject): StatusError =>
  conflict(subject, 'the object has been modified; please apply your changes to the latest version and try again')

/** A 409 of server-side apply, with a cause for each field that somebody else owns. */
export const applyConflict = (subject: Subject, causes: ReadonlyArray<StatusCause>): StatusError => {
  const owners = [...new Set(causes.map(({ message = '' }) => message))]
  const fieldsOf = (owner: string) => causes.filter(({ message }) => message === owner).map(({ field = '' }) => field)
  const text =
    causes.length === 1
      ? `conflict: ${owners.join()}: ${fieldsOf(owners[0] ?? '').join()}`
      : `conflicts: ${owners
          .map(
            (owner) =>
              `${owner.replace('conflict ', 'conflicts ')}:\n${fieldsOf(owner)
                .map((field) => `- ${field}`)
                .join('\n')}`,
          )
          .join('\n')}`
  return failure(409, 'Conflict', `Apply failed with ${causes.length} ${text}`, subject, { causes })
}

export const badRequest = (message: string): StatusError => failure(400, 'BadRequest', message)

export const forbidden = (subject: Subject, detail: string, causes?: ReadonlyArray<StatusCause>): StatusError =>
  failure(
    403,
    'Forbidden',
    `${qualified(subject)} "${subject.name ?? ''}" is forbidden: ${detail}`,
    subject,
    causes === undefined ? undefined : { causes },
  )

/** A 422; `subject.kind` is the object's kind here, as the API server has it. */
export const invalid = (subject: Subject, errors: ReadonlyArray<FieldError>): StatusError => {
  const texts = errors.map(({ field, message }) => `${field}: ${message}`)
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return failure(422, 'Invalid', `${qualified(subject)} "${subject.name ?? ''}" is invalid: ${text}`, subject, {
    causes: errors.map(({ field, reason, message }) => ({ reason, message, field })),
  })
}

/** Parameters of a list or a watch that contradict each other. */
export const invalidListOptions = (error: FieldError): StatusError =>
  invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, [error])

export const unprocessable = (message: string): StatusError => failure(422, 'Invalid', message)

export const expired = (message: string): StatusError => failure(410, 'Expired', message)

export const tooLargeVersion = (asked: number, newest: number): StatusError =>
  failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${newest}`, undefined, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })

export const disruptionBudgetExceeded = (cause: string, retryAfterSeconds: number): StatusError =>
  failure(429, 'TooManyRequests', `Cannot evict pod as it would violate the pod's disruption budget.`, undefined, {
    causes: [{ reason: 'DisruptionBudget', message: cause }],
    ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
  })

export const methodNotAllowed = (subject: Subject): StatusError =>
  failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', subject)

export const unsupportedMediaType = (given: string, supported: ReadonlyArray<string>): StatusError =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${given}) - accepted media types include: ${supported.join(', ')}`,
  )

export const internal = (message: string): StatusError => failure(500, 'InternalError', message)

/** A failure of the caller's choosing, for fault injection. */
export const injected = (fault: {
  readonly code: number
  readonly reason?: string
  readonly message?: string
  readonly retryAfterSeconds?: number
}): StatusError =>
  failure(
    fault.code,
    fault.reason ?? usualReason(fault.code),
    fault.message ?? `Injected fault ${fault.code}`,
    undefined,
    fault.retryAfterSeconds === undefined ? undefined : { retryAfterSeconds: fault.retryAfterSeconds },
  )

const usualReason = (code: number): string => {
  switch (code) {
    case 400:
      return 'BadRequest'
    case 401:
      return 'Unauthorized'
    case 403:
      return 'Forbidden'
    case 404:
      return 'NotFound'
    case 409:
      return 'Conflict'
    case 410:
      return 'Expired'
    case 422:
      return 'Invalid'
    case 429:
      return 'TooManyRequests'
    case 503:
      return 'ServiceUnavailable'
    case 504:
      return 'Timeout'
    default:
      return 'InternalError'
  }
}

/** `Invalid value: "x": must be …`, the way the API server quotes values. */
export const invalidValue = (field: string, value: unknown, detail: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value) ?? 'null'}: ${detail}`,
})

export const requiredValue = (field: string, detail?: string): FieldError => ({
  field,
  reason: 'FieldValueRequired',
  message: detail === undefined || detail === '' ? 'Required value' : `Required value: ${detail}`,
})

export const unsupportedValue = (field: string, value: unknown, supported: ReadonlyArray<unknown>): FieldError => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((item) => JSON.stringify(item)).join(', ')}`,
})

export const forbiddenValue = (field: string, detail: string): FieldError => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${detail}`,
})

export const duplicateValue = (field: string, value: unknown): FieldError => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(value)}`,
})
