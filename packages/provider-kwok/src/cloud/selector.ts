/** Some offerings: each part a text or a pattern with `*`; a part left out is any. */
export interface OfferingSelector {
  readonly instanceType?: string
  readonly zone?: string
  readonly capacityType?: string
}

export interface OfferingKey {
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: string
}

/** Whether the selector means the offering. */
export const selects = (selector: OfferingSelector, key: OfferingKey): boolean =>
  isLike(selector.instanceType, key.instanceType) &&
  isLike(selector.zone, key.zone) &&
  isLike(selector.capacityType, key.capacityType)

// Greedy matching piece by piece: linear, where a regular expression could be made to backtrack.
const isLike = (pattern: string | undefined, text: string): boolean => {
  if (pattern === undefined || pattern === '*') return true
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return text === pattern
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false
  let at = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= text.length - last.length
}
