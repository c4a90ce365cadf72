import type { KubeObject, ObjectMeta } from '../face.ts'
import { forbiddenValue, invalidValue, requiredValue, type FieldError } from './failures.ts'
import { isObject, listAt, type JsonObject } from './json.ts'

const dnsLabelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const dnsSubdomainPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const dns1035Pattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const qualifiedNamePattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const labelValuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/

// What the API server says of each; clients match on these texts. Source: apimachinery's validation messages.
const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const dns1035Text =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
const qualifiedNameText =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const labelValueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

/** What is wrong with a name as an RFC 1123 subdomain, the rule of most resources. */
export const subdomainName = (name: string): string | undefined => {
  if (name.length > 253) return 'must be no more than 253 characters'
  return dnsSubdomainPattern.test(name) ? undefined : subdomainText
}

export const labelName = (name: string): string | undefined => {
  if (name.length > 63) return 'must be no more than 63 characters'
  return dnsLabelPattern.test(name) ? undefined : labelText
}

export const dns1035Name = (name: string): string | undefined => {
  if (name.length > 63) return 'must be no more than 63 characters'
  return dns1035Pattern.test(name) ? undefined : dns1035Text
}

/** Names that are only kept from being a path. */
export const pathSegmentName = (name: string): string | undefined =>
  name === '.' || name === '..' || /[/%]/.test(name) ? `may not contain '/' or '%'` : undefined

/** What is wrong with a label key, or any other qualified name (`prefix/name`). */
export const qualifiedName = (key: string): string | undefined => {
  const slash = key.indexOf('/')
  const prefix = slash < 0 ? undefined : key.slice(0, slash)
  const name = slash < 0 ? key : key.slice(slash + 1)
  if (prefix !== undefined) {
    if (prefix === '') return 'prefix part must be non-empty'
    const problem = subdomainName(prefix)
    if (problem !== undefined) return `prefix part ${problem}`
  }
  if (name === '') return 'name part must be non-empty'
  if (name.length > 63) return 'name part must be no more than 63 characters'
  return qualifiedNamePattern.test(name) ? undefined : qualifiedNameText
}

export const labelValue = (value: string): string | undefined => {
  if (value.length > 63) return 'must be no more than 63 characters'
  return labelValuePattern.test(value) ? undefined : labelValueText
}

export const validateLabels = (labels: unknown, field: string): ReadonlyArray<FieldError> => {
  if (labels === undefined || labels === null) return []
  if (!isObject(labels)) return [invalidValue(field, labels, 'must be a map of strings')]
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(labels)) {
    const badKey = qualifiedName(key)
    if (badKey !== undefined) errors.push(invalidValue(field, key, badKey))
    if (typeof value !== 'string') errors.push(invalidValue(field, value, 'must be a string'))
    else {
      const badValue = labelValue(value)
      if (badValue !== undefined) errors.push(invalidValue(field, value, badValue))
    }
  }
  return errors
}

/** The keys of `metadata` that a client may set; what else it sends is the server's to say. */
export interface ClientMeta {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: ReadonlyArray<string>
  readonly ownerReferences?: NonNullable<ObjectMeta['ownerReferences']>
}

export const clientMeta = (metadata: JsonObject | undefined): ClientMeta => {
  const kept: JsonObject = {}
  for (const key of ['labels', 'annotations', 'ownerReferences', 'finalizers']) {
    const value = metadata?.[key]
    const empty = value === undefined || value === null || Object.keys(value).length === 0
    if (!empty) kept[key] = value
  }
  return kept as ClientMeta
}

/** Checks what clients write into `metadata`; the name's own rule depends on the resource. */
export const validateMeta = (
  object: KubeObject,
  previous: KubeObject | undefined,
  nameRule: (name: string) => string | undefined,
): ReadonlyArray<FieldError> => {
  const { metadata } = object
  const before = previous?.metadata
  const errors: FieldError[] = []
  if (previous === undefined) {
    const problem = nameRule(metadata.name)
    if (problem !== undefined) errors.push(invalidValue('metadata.name', metadata.name, problem))
  }
  if (metadata.labels !== before?.labels) errors.push(...validateLabels(metadata.labels, 'metadata.labels'))
  if (metadata.annotations !== before?.annotations) {
    for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
      const problem = qualifiedName(key.toLowerCase())
      if (problem !== undefined) errors.push(invalidValue('metadata.annotations', key, problem))
      if (typeof value !== 'string') errors.push(invalidValue('metadata.annotations', value, 'must be a string'))
    }
  }
  if (metadata.finalizers !== before?.finalizers) {
    for (const finalizer of metadata.finalizers ?? []) {
      const problem = typeof finalizer === 'string' ? qualifiedName(finalizer) : 'must be a string'
      if (problem !== undefined) errors.push(invalidValue('metadata.finalizers', finalizer, problem))
      if (before?.deletionTimestamp !== undefined && before.finalizers?.includes(finalizer) !== true) {
        errors.push(
          forbiddenValue(
            'metadata.finalizers',
            `no new finalizers can be added if the object is being deleted, found new finalizers []string{${JSON.stringify(finalizer)}}`,
          ),
        )
      }
    }
  }
  if (metadata.ownerReferences !== before?.ownerReferences) errors.push(...validateOwners(metadata))
  return errors
}

const validateOwners = (metadata: ObjectMeta): ReadonlyArray<FieldError> => {
  const errors: FieldError[] = []
  let controllers = 0
  for (const owner of listAt(metadata as unknown as JsonObject, 'ownerReferences')) {
    if (!isObject(owner)) {
      errors.push(invalidValue('metadata.ownerReferences', owner, 'must be an object'))
      continue
    }
    for (const key of ['apiVersion', 'kind', 'name', 'uid']) {
      if (typeof owner[key] !== 'string' || owner[key] === '') {
        errors.push(requiredValue(`metadata.ownerReferences.${key}`, 'must not be empty'))
      }
    }
    if (owner['controller'] === true) controllers++
  }
  if (controllers > 1) {
    errors.push(
      invalidValue(
        'metadata.ownerReferences',
        metadata.ownerReferences,
        'Only one reference can have Controller set to true. Found "true" in references',
      ),
    )
  }
  return errors
}
