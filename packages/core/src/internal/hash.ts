const offset = 0xcbf29ce484222325n
const prime = 0x100000001b3n
const mask = 0xffffffffffffffffn

/**
 * FNV-1a of the text's UTF-16 code units, 64 bits as decimal digits. For fingerprints, not for security.
 *
 * Source: http://www.isthe.com/chongo/tech/comp/fnv/
 */
export const hashText = (text: string): string => {
  let hash = offset
  for (let index = 0; index < text.length; index += 1) {
    hash = ((hash ^ BigInt(text.charCodeAt(index))) * prime) & mask
  }
  return hash.toString()
}
