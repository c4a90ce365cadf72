import type { Json } from '@scantling/core'
import { canonical } from '@scantling/provider-kit'

/** The hash of what a machine is to be like besides what it was made as: 32-bit FNV-1a of JSON, in decimal (Z-IPU-01). */
export const goalHashOf = (goal: Json): string => {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(canonical(goal), 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193)
  return String(hash >>> 0)
}
