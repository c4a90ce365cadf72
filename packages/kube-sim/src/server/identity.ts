/** UIDs and name suffixes, drawn from a seed so that equal runs give equal objects. */
export interface Identity {
  /** A version 4 UUID. */
  readonly uid: () => string
  /** Five characters that the API server appends to `generateName`. */
  readonly suffix: () => string
}

// No vowels and no look-alikes, as Kubernetes has it.
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

export const createIdentity = (seed: number): Identity => {
  // SplitMix32: short, well mixed, and enough for names.
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const hex = () => next().toString(16).padStart(8, '0')
  return {
    uid: () => {
      const digits = hex() + hex() + hex() + hex()
      const variant = '89ab'.charAt(next() % 4)
      return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`
    },
    suffix: () => Array.from({ length: 5 }, () => suffixAlphabet.charAt(next() % suffixAlphabet.length)).join(''),
  }
}

/** RFC 3339 with whole seconds, as `metadata.creationTimestamp` has it. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
