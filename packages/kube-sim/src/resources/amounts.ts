import { Quantity } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { invalidValue, type FieldError } from '../server/failures.ts'
import { objectAt, type JsonObject } from '../server/json.ts'

const quantityText = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

const parse = (value: unknown): Quantity | undefined => {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const parsed = Quantity.parse(String(value))
  return E.isRight(parsed) ? parsed.right : undefined
}

/** Puts the resource list at `key` into canonical form (`0.5` becomes `500m`), in place; leaves what is no quantity. */
export const canonicalResources = (object: JsonObject, key: string): void => {
  const list = objectAt(object, key)
  if (list === undefined) return
  for (const name of Object.keys(list)) list[name] = parse(list[name]) ?? list[name]
}

/** Checks a resource list: every amount is a quantity, and none is negative. */
export const validateResourceList = (list: JsonObject | undefined, field: string): ReadonlyArray<FieldError> => {
  const errors: FieldError[] = []
  for (const [name, amount] of Object.entries(list ?? {})) {
    const quantity = parse(amount)
    if (quantity === undefined) errors.push(invalidValue(`${field}[${name}]`, amount, quantityText))
    else if (Quantity.isNegative(quantity)) {
      errors.push(invalidValue(`${field}[${name}]`, amount, 'must be greater than or equal to 0'))
    }
  }
  return errors
}

/** Checks `requests` and `limits`, and that no request exceeds its limit. */
export const validateResources = (resources: JsonObject, field: string): ReadonlyArray<FieldError> => {
  const requests = objectAt(resources, 'requests')
  const limits = objectAt(resources, 'limits')
  const errors = [
    ...validateResourceList(limits, `${field}.limits`),
    ...validateResourceList(requests, `${field}.requests`),
  ]
  for (const [name, amount] of Object.entries(requests ?? {})) {
    const request = parse(amount)
    const limit = parse(limits?.[name])
    if (request !== undefined && limit !== undefined && Quantity.compare(request, limit) > 0) {
      errors.push(invalidValue(`${field}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`))
    }
  }
  return errors
}
