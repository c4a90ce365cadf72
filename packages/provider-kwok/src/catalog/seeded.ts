/**
 * A number in [0, 1) that depends on nothing but the texts: the same on every machine and in every run.
 *
 * FNV-1a with a final mix, so that neighbouring names give unrelated numbers.
 */
export const seededFraction = (...texts: ReadonlyArray<string>): number => {
  let hash = 0x811c9dc5
  for (const text of texts) {
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
    hash = Math.imul(hash ^ 0xff, 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
