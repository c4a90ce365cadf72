import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

import type { Schema } from './combinators.ts'
import { decoderOf } from './decode.ts'
import { joinPath, type FieldError } from './field-error.ts'

/**
 * The io-ts codec of a schema, to be combined with other codecs.
 *
 * It runs the compiled decoder, so it costs no more than `decoderOf`. Encoding is the identity: a decoded object is a
 * valid wire form.
 *
 * @example
 * const port = codecOf(s.integer({ minimum: 1 }))
 * port.is(8080) // => true
 * port.decode(0)._tag // => 'Left'
 */
export const codecOf = <A>(schema: Schema<A>): t.Type<A, A, unknown> => {
  const decode = decoderOf(schema)
  return new t.Type<A, A, unknown>(
    schema.name,
    (input): input is A => E.isRight(decode(input)),
    (input, context) => {
      const result = decode(input)
      if (E.isRight(result)) return t.success(result.right)
      return t.failures(
        result.left.map((error) => ({
          value: error.value,
          message: error.kind === 'Required' ? 'Required value' : error.reason,
          context: t.appendContext(context, error.path, codecOf(schema), error.value),
        })),
      )
    },
    t.identity,
  )
}

/**
 * Validation errors of io-ts in the form of Kubernetes' field errors; the reporter for settings and other codecs.
 *
 * @example
 * const decoded = codecOf(s.object({ port: s.integer() })).decode({ port: 'http' })
 * decoded._tag === 'Left' && fieldErrorsOf(decoded.left).map(({ path }) => path) // => ['port']
 */
export const fieldErrorsOf = (errors: t.Errors): ReadonlyArray<FieldError> =>
  errors.map(({ value, context, message }) => {
    const last = context[context.length - 1]
    const reason = message ?? `expected ${last?.type.name ?? 'another value'}`
    return {
      path: context.reduce((path, { key }) => joinPath(path, /^\d+$/.test(key) ? `[${key}]` : key), ''),
      ...(value === undefined ? { kind: 'Required', reason: '' } : { kind: 'Invalid', value, reason }),
    }
  })
