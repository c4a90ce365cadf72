/** A machine size as the emulator sells it. */
export interface Size {
  readonly name: string
  readonly family: string
  readonly vCPUs: number
  readonly memoryGB: number
  readonly arch: 'x64' | 'Arm64'
  readonly gpus?: number
  readonly zones: ReadonlyArray<string>
  /** Per hour on demand; spot costs a fifth. */
  readonly price: number
}

const zones = ['1', '2', '3']
const size = (name: string, family: string, vCPUs: number, memoryGB: number, more: Partial<Size> = {}): Size => ({
  name,
  family,
  vCPUs,
  memoryGB,
  arch: 'x64',
  zones,
  price: vCPUs * 0.04 + memoryGB * 0.002,
  ...more,
})

/** What the emulator sells unless told otherwise: general, memory, ARM64 and GPU sizes, and one without zones. */
export const defaultSizes: ReadonlyArray<Size> = [
  ...[2, 4, 8, 16, 32].map((n) => size(`Standard_D${n}s_v5`, 'standardDSv5Family', n, n * 4)),
  ...[2, 4, 8, 16].map((n) => size(`Standard_E${n}s_v5`, 'standardESv5Family', n, n * 8)),
  ...[2, 4, 8].map((n) => size(`Standard_F${n}s_v2`, 'standardFSv2Family', n, n * 2)),
  ...[2, 4, 8].map((n) => size(`Standard_D${n}ps_v5`, 'standardDPSv5Family', n, n * 4, { arch: 'Arm64' })),
  size('Standard_NC24ads_A100_v4', 'StandardNCADSA100v4Family', 24, 220, { gpus: 1, zones: ['1'], price: 3.7 }),
  size('Standard_DC4s_v2', 'standardDCSv2Family', 4, 16, { zones: [] }),
]

/** A size as the listing of SKUs states it. */
export const skuOf = (one: Size, location: string) => ({
  resourceType: 'virtualMachines',
  name: one.name,
  tier: 'Standard',
  size: one.name.slice('Standard_'.length),
  family: one.family,
  locations: [location],
  locationInfo: [{ location, zones: one.zones, zoneDetails: [{ name: one.zones, capabilities: [] }] }],
  capabilities: Object.entries({
    vCPUs: String(one.vCPUs),
    vCPUsAvailable: String(one.vCPUs),
    MemoryGB: String(one.memoryGB),
    GPUs: one.gpus === undefined ? undefined : String(one.gpus),
    CpuArchitectureType: one.arch,
    MaxResourceVolumeMB: String(one.vCPUs * 37_500),
    CachedDiskBytes: String(one.vCPUs * 25 * 2 ** 30),
    OSVhdSizeMB: '1047552',
    MaxDataDiskCount: '16',
    PremiumIO: 'True',
    EphemeralOSDiskSupported: 'True',
    HyperVGenerations: one.arch === 'Arm64' ? 'V2' : 'V1,V2',
    AcceleratedNetworkingEnabled: 'True',
    EncryptionAtHostSupported: 'True',
    LowPriorityCapable: 'True',
    TrustedLaunchDisabled: undefined,
    UltraSSDAvailable: undefined,
    VMDeploymentTypes: 'IaaS',
    vCPUsPerCore: one.arch === 'Arm64' ? '1' : '2',
  }).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
  restrictions: [],
})
