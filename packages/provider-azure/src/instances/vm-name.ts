const prefix = 'aks-'
/** Longest name that Azure takes for a Linux VM. */
const longestName = 64

/** The name of all that is made for a claim: VM, network interface, disk and host (Z-VM-01). `undefined`: too long. */
export const vmNameOf = (claimName: string): string | undefined => {
  const name = `${prefix}${claimName}`
  return name.length > longestName ? undefined : name
}

/** The claim for which a VM or network interface of this name was made; `undefined`: for none (Z-CP-11). */
export const claimNameOfVm = (name: string): string | undefined =>
  name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : undefined
