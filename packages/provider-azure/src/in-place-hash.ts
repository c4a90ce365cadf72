import type { JsonObject } from '@scantling/core'
import { canonical } from '@scantling/provider-kit'

/**
 * What a machine should be changed to without being replaced, as a short text: its 32-bit FNV-1a (Z-IPU-01).
 *
 * The reference's function over a text of our own, whose keys are in order: claims of the reference are looked at once.
 */
export const inPlaceHash = (goal: JsonObject): string => {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(canonical(goal), 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193)
  return String(hash >>> 0)
}
