const offset = 0xcbf29ce484222325n
const prime = 0x100000001b3n

/**
 * The name that early versions of the reference gave an instance profile: the cluster's name and a 64-bit FNV-1 hash of
 * region and class, in decimal.
 *
 * Source: A-IP-09.
 */
export const legacyProfileName = (cluster: string, region: string, nodeClass: string): string => {
  let hash = offset
  for (const byte of new TextEncoder().encode(region + nodeClass))
    hash = BigInt.asUintN(64, hash * prime) ^ BigInt(byte)
  return `${cluster}_${hash}`
}
