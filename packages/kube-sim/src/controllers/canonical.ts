/** JSON with the keys of every object in order, so that equal values have equal texts. Absent and `undefined` are equal. */
export const canonicalText = (value: unknown): string => JSON.stringify(value, sortKeys) ?? 'null'

const sortKeys = (_key: string, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const sorted = Object.create(null) as Record<string, unknown>
  for (const key of Object.keys(value).sort()) sorted[key] = (value as Readonly<Record<string, unknown>>)[key]
  return sorted
}

// No vowels and no digits that look like letters, so that no name spells a word.
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** A short name-safe hash (FNV-1a, 32 bits), as `pod-template-hash` looks. */
export const shortHash = (text: string): string => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  }
  return [...String(hash)].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join('')
}
