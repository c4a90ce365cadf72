import * as E from 'fp-ts/lib/Either.js'
import { ephemeralOsDiskOf, type EphemeralOsDisk } from './ephemeral-os-disk.ts'
import { gpuManufacturerOf } from './gpu.ts'
import { isSameLocation, readCapabilities, type ResourceSku } from './resource-sku.ts'
import { parseVmSize, type VmSize } from './vm-size.ts'

/** A VM size in a region, as far as nodes care. */
export interface Sku {
  /** `Standard_D4s_v5`. */
  readonly name: string
  readonly size: VmSize
  /** Name of the family under which quota is counted. */
  readonly quotaFamily: string
  readonly vCpus: number
  /** GiB, whatever the capability's name says. */
  readonly memoryGib: number
  readonly gpus: number
  readonly gpuManufacturer?: 'nvidia' | 'amd'
  /** `amd64`, `arm64`, or what Azure calls an architecture that is not known here. */
  readonly arch: string
  readonly hyperVGenerations: ReadonlyArray<'1' | '2'>
  /** Availability zones in which it is sold to this subscription: `1`, `2`, `3`. */
  readonly zones: ReadonlyArray<string>
  readonly ultraSsdZones: ReadonlyArray<string>
  /** Ultra disks without a zone. */
  readonly hasRegionalUltraSsd: boolean
  readonly hasPremiumStorage: boolean
  readonly hasAcceleratedNetworking: boolean
  readonly hasEncryptionAtHost: boolean
  readonly hasTrustedLaunch: boolean
  readonly isSpotCapable: boolean
  readonly ephemeralOsDisk?: EphemeralOsDisk
}

/** Sizes that AKS takes for no node pool, and two that Karpenter had trouble with. */
const blocked: ReadonlySet<string> = new Set([
  'Standard_A0',
  'Standard_A1',
  'Standard_A1_v2',
  'Standard_B1s',
  'Standard_B1ms',
  'Standard_F1',
  'Standard_F1s',
  'Basic_A0',
  'Basic_A1',
  'Basic_A2',
  'Basic_A3',
  'Basic_A4',
  'Standard_E64i_v3',
  'Standard_E64is_v3',
])

const leastVCpus = 2
const leastMemoryGib = 3.5

/**
 * Reads a row of the list of SKUs (Z-IT-03, Z-IT-05).
 *
 * Errors: Left with the reason why nodes cannot be of this size here.
 */
export const readSku = (row: ResourceSku, region: string): E.Either<string, Sku> => {
  const { name = '', size: sizeText = '', family = '' } = row
  if (row.resourceType?.toLowerCase() !== 'virtualmachines') return E.left('not a VM')
  if (blocked.has(name)) return E.left('not for node pools')
  const size = parseVmSize(sizeText)
  if (size === undefined) return E.left(`its size ${JSON.stringify(sizeText)} follows no naming convention`)
  if (isRestricted(row, region)) return E.left('restricted in the region')
  const capabilities = readCapabilities(row.capabilities)
  const { number, isOn, includes, text } = capabilities
  const vCpus = number('vCPUs') ?? 0
  if (vCpus < leastVCpus) return E.left(`fewer than ${leastVCpus} vCPUs`)
  const memoryGib = number('MemoryGB') ?? 0
  if (memoryGib < leastMemoryGib) return E.left(`less than ${leastMemoryGib} GiB of memory`)
  const gpus = number('GPUs') ?? 0
  const gpuManufacturer = gpuManufacturerOf(name)
  if (gpus > 0 && gpuManufacturer === undefined) return E.left('a GPU that AKS does not support')
  if (size.constrainedCpus !== undefined) return E.left('fewer vCPUs than its size')
  if (/^(DC|EC)/.test(sizeText)) return E.left('confidential')
  const architecture = text('CpuArchitectureType')
  if (architecture === undefined) return E.left('no architecture')
  const isGen2 = includes('HyperVGenerations', 'V2')
  const ephemeralOsDisk = ephemeralOsDiskOf(capabilities)
  return E.right({
    name,
    size,
    quotaFamily: family,
    vCpus,
    memoryGib,
    gpus,
    ...(gpuManufacturer !== undefined && { gpuManufacturer }),
    arch: architectures.get(architecture) ?? architecture,
    hyperVGenerations: [
      ...(includes('HyperVGenerations', 'V1') ? ['1' as const] : []),
      ...(isGen2 ? ['2' as const] : []),
    ],
    zones: zonesIn(row, region),
    ultraSsdZones: ultraSsdZonesOf(row),
    hasRegionalUltraSsd: isOn('UltraSSDAvailable'),
    hasPremiumStorage: isOn('PremiumIO'),
    hasAcceleratedNetworking: isOn('AcceleratedNetworkingEnabled'),
    hasEncryptionAtHost: isOn('EncryptionAtHostSupported'),
    hasTrustedLaunch: isGen2 && !isOn('TrustedLaunchDisabled'),
    isSpotCapable: isOn('LowPriorityCapable'),
    ...(ephemeralOsDisk !== undefined && { ephemeralOsDisk }),
  })
}

/** Azure's names of architectures (Z-LBL-14). */
const architectures: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['Arm64', 'arm64'],
])

const names = (values: ReadonlyArray<string> | undefined, region: string) =>
  (values ?? []).some((value) => isSameLocation(value, region))

const isRestricted = ({ restrictions = [] }: ResourceSku, region: string): boolean =>
  restrictions.some(({ type, values }) => type === 'Location' && names(values, region))

const zonesIn = ({ locationInfo = [], restrictions = [] }: ResourceSku, region: string): ReadonlyArray<string> => {
  const restricted = new Set(
    restrictions.flatMap(({ values, restrictionInfo }) =>
      names(values, region) ? (restrictionInfo?.zones ?? []) : [],
    ),
  )
  const zones = locationInfo.flatMap(({ location = '', zones: here = [] }) =>
    isSameLocation(location, region) ? here : [],
  )
  return [...new Set(zones)].filter((zone) => !restricted.has(zone)).sort((a, b) => (a < b ? -1 : 1))
}

const ultraSsdZonesOf = ({ locationInfo = [] }: ResourceSku): ReadonlyArray<string> =>
  locationInfo
    .flatMap(({ zoneDetails = [] }) => zoneDetails)
    .flatMap(({ name = [], capabilities }) => (readCapabilities(capabilities).isOn('UltraSSDAvailable') ? name : []))

/** What a region sells, and what was left out and why. */
export interface SkuDiscovery {
  /** By name. */
  readonly skus: ReadonlyArray<Sku>
  readonly dropped: ReadonlyArray<{ readonly name: string; readonly reason: string }>
}

/**
 * The SKUs of a region that nodes can be of (Z-IT-01…03).
 *
 * Errors: Left when there is none, which is an answer that must not replace an older one.
 */
export const discoverSkus = (rows: ReadonlyArray<ResourceSku>, region: string): E.Either<string, SkuDiscovery> => {
  const skus = new Map<string, Sku>()
  const dropped: Array<{ readonly name: string; readonly reason: string }> = []
  for (const row of rows) {
    if (row.resourceType?.toLowerCase() !== 'virtualmachines') continue
    const sku = readSku(row, region)
    if (E.isRight(sku)) skus.set(sku.right.name, sku.right)
    else dropped.push({ name: row.name ?? '', reason: sku.left })
  }
  if (skus.size === 0)
    return E.left(
      `Region ${region} sells no VM size that nodes can be of: check --location, and the subscription’s access`,
    )
  return E.right({ skus: [...skus.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), dropped })
}
