import * as E from 'fp-ts/lib/Either.js'

/** Longest name of a machine that AKS takes. */
const longestName = 34
const digestLength = 6

/**
 * The name of the machine of a claim: the claim's, shortened to what AKS takes (Z-MACH-03).
 *
 * What does not fit before the last dash is replaced by a digest of it, so that a claim has the same machine after a
 * restart and under the reference.
 *
 * Errors: Left for a long name without a dash.
 */
export const machineNameOf = (claimName: string): E.Either<string, string> => {
  if (claimName.length <= longestName) return E.right(claimName)
  const dash = claimName.lastIndexOf('-')
  const suffix = claimName.slice(dash)
  const keptLength = longestName - suffix.length - digestLength
  if (dash < 0 || keptLength < 0)
    return E.left(
      `Cannot name a machine after NodeClaim ${claimName}: expected at most ${longestName} characters, or a short part after the last dash`,
    )
  const prefix = claimName.slice(0, dash)
  return E.right(prefix.slice(0, keptLength) + digestOf(prefix.slice(keptLength)) + suffix)
}

const digits = '0123456789abcdefghijklmnopqrstuvwxyz'
const mask = (1n << 64n) - 1n

// The lowest digits, to base 36, of the text's 64-bit FNV-1.
const digestOf = (text: string): string => {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text, 'utf8')) hash = ((hash * 0x100000001b3n) & mask) ^ BigInt(byte)
  let digest = ''
  for (let index = 0; index < digestLength; index += 1) {
    digest = `${digits[Number(hash % 36n)]}${digest}`
    hash /= 36n
  }
  return digest
}

/** The machine behind a VM that AKS named `aks-POOL-MACHINE-12345678-vm`; `undefined` for another VM (Z-MACH-04). */
export const machineNameOfVm = (pool: string, vmName: string): string | undefined => {
  const before = `aks-${pool}-`
  const rest = vmName.startsWith(before) ? /^(.+)-[^-]{8}-vm$/.exec(vmName.slice(before.length)) : null
  return rest?.[1]
}
