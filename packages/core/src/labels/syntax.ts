/** Labels or annotations of an object. Keys come from users, `constructor` among them: read with `Labels.get`. */
export type Labels = Readonly<Record<string, string>>

export const empty: Labels = Object.freeze(Object.create(null) as Labels)

/**
 * The value of a label, or `undefined`; never what the prototype holds under that name.
 *
 * @example
 * Labels.get({ app: 'web' }, 'constructor') // => undefined
 */
export const get = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined

/**
 * Whether the label is set; the prototype's names are not labels.
 *
 * @example
 * Labels.has({ constructor: 'a legal label' }, 'constructor') // => true
 * Labels.has({}, 'constructor') // => false
 */
export const has = (labels: Labels, key: string): boolean => Object.hasOwn(labels, key)

const namePattern = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const dnsLabel = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?'
const subdomainPattern = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`)

/**
 * What is wrong with a label key (`example.com/name`), or `undefined`.
 *
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 *
 * @example
 * Labels.problemWithKey('example.com/name') // => undefined
 * Labels.problemWithKey('') === undefined // => false
 */
export const problemWithKey = (key: string): string | undefined => {
  const slash = key.indexOf('/')
  const prefix = slash < 0 ? undefined : key.slice(0, slash)
  const name = key.slice(slash + 1)
  if (prefix !== undefined) {
    if (prefix === '') return 'the prefix before "/" must not be empty'
    if (prefix.length > 253) return 'the prefix before "/" must have at most 253 characters'
    if (!subdomainPattern.test(prefix)) return 'the prefix before "/" must be a lower-case DNS name such as example.com'
  }
  if (name === '') return 'the name must not be empty'
  if (name.length > 63) return 'the name must have at most 63 characters'
  if (!namePattern.test(name)) {
    return 'the name must consist of letters, digits, "-", "_" or ".", and must begin and end with a letter or digit'
  }
  return undefined
}

/**
 * What is wrong with a label value, or `undefined`. The empty value is allowed.
 *
 * @example
 * Labels.problemWithValue('front-end') // => undefined
 * Labels.problemWithValue('-front') === undefined // => false
 */
export const problemWithValue = (value: string): string | undefined => {
  if (value === '') return undefined
  if (value.length > 63) return 'a label value must have at most 63 characters'
  if (!namePattern.test(value)) {
    return 'a label value must consist of letters, digits, "-", "_" or ".", and must begin and end with a letter or digit'
  }
  return undefined
}
