import type { readCapabilities } from './resource-sku.ts'

/** A disk of the host's own on which the OS disk can be. */
export interface EphemeralOsDisk {
  readonly placement: 'NvmeDisk' | 'CacheDisk' | 'ResourceDisk'
  /** **Units**: decimal GB. */
  readonly sizeGb: number
}

const gb = 1e9
const mib = 2 ** 20

/**
 * The best medium of a SKU for an ephemeral OS disk: NVMe, else the cache, else the temporary disk (Z-EPH-01, Z-EPH-02).
 *
 * The first that there is counts, even if another is larger. `undefined`: none.
 */
export const ephemeralOsDiskOf = (capabilities: ReturnType<typeof readCapabilities>): EphemeralOsDisk | undefined => {
  const { number, isOn, includes } = capabilities
  if (!isOn('EphemeralOSDiskSupported')) return undefined
  const nvmeMib = number('NvmeDiskSizeInMiB') ?? 0
  if (nvmeMib > 0 && includes('SupportedEphemeralOSDiskPlacements', 'NvmeDisk'))
    return { placement: 'NvmeDisk', sizeGb: Math.floor((nvmeMib * mib) / gb) }
  const cacheBytes = number('CachedDiskBytes') ?? 0
  if (cacheBytes > 0) return { placement: 'CacheDisk', sizeGb: Math.floor(cacheBytes / gb) }
  // The name says MB; it is MiB.
  const resourceMib = number('MaxResourceVolumeMB') ?? 0
  if (resourceMib > 0) return { placement: 'ResourceDisk', sizeGb: Math.floor((resourceMib * mib) / gb) }
  return undefined
}

/** The medium of an OS disk of this size; `undefined`: a managed disk, since the best medium is too small (Z-EPH-03). */
export const ephemeralPlacementFor = (
  disk: EphemeralOsDisk | undefined,
  osDiskSizeGb: number,
): EphemeralOsDisk['placement'] | undefined =>
  disk !== undefined && osDiskSizeGb <= disk.sizeGb ? disk.placement : undefined

/** How a VM is told to put its OS disk on the host; `undefined`: a managed disk, of a kind that Azure chooses (Z-EPH-04). */
export const diffDiskSettingsFor = (
  disk: EphemeralOsDisk | undefined,
  osDiskSizeGb: number,
): { readonly option: 'Local'; readonly placement: EphemeralOsDisk['placement'] } | undefined => {
  const placement = ephemeralPlacementFor(disk, osDiskSizeGb)
  return placement && { option: 'Local', placement }
}

/** The same for a machine of AKS, which chooses the medium itself (Z-EPH-04). */
export const machineOsDiskTypeFor = (
  disk: EphemeralOsDisk | undefined,
  osDiskSizeGb: number,
): 'Ephemeral' | 'Managed' => (ephemeralPlacementFor(disk, osDiskSizeGb) === undefined ? 'Managed' : 'Ephemeral')
