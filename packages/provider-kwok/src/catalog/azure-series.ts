/** Sizes that share price per vCPU, memory per vCPU and hardware. */
export interface AzureSeries {
  /** The letters before the number of CPUs. */
  readonly family: string
  /** The letters after it: a AMD, p ARM64, l low memory, m more memory, d local disk, s premium storage. */
  readonly features: string
  readonly version: string
  /** **Units**: US dollars per hour and vCPU, as publicly listed for Linux, rounded. */
  readonly pricePerCpu: number
  readonly memoryGibPerCpu: number
  readonly cpus: ReadonlyArray<number>
  readonly accelerator?: {
    readonly name: string
    readonly manufacturer: 'nvidia' | 'amd'
    readonly cpuPerGpu: number
  }
}

const to96 = [2, 4, 8, 16, 32, 48, 64, 96]
const to64 = [2, 4, 8, 16, 32, 48, 64]

const series = (
  family: string,
  version: string,
  memoryGibPerCpu: number,
  cpus: ReadonlyArray<number>,
  pricePerCpuByFeatures: Readonly<Record<string, number>>,
): ReadonlyArray<AzureSeries> =>
  Object.entries(pricePerCpuByFeatures).map(([features, pricePerCpu]) => ({
    family,
    features,
    version,
    pricePerCpu,
    memoryGibPerCpu,
    cpus,
  }))

/**
 * The series of the Azure-like catalogue.
 *
 * Source: the public size pages and price lists of Azure virtual machines, as levels per vCPU.
 */
export const azureSeries: ReadonlyArray<AzureSeries> = [
  // Burstable.
  ...series('B', 'v2', 4, [2, 4, 8, 16, 32], { s: 0.0416, as: 0.0376, ps: 0.0336 }),
  ...series('B', 'v2', 2, [2, 4, 8, 16], { ls: 0.0368, als: 0.0331, pls: 0.0297 }),

  // General purpose.
  ...series('D', 'v3', 4, to64, { s: 0.048 }),
  ...series('D', 'v4', 4, to64, { s: 0.048, ds: 0.0565, as: 0.048 }),
  ...series('D', 'v5', 4, to96, { s: 0.048, ds: 0.0565, as: 0.043, ads: 0.0515 }),
  ...series('D', 'v5', 2, to96, { ls: 0.0425, lds: 0.0485 }),
  ...series('D', 'v5', 4, to64, { ps: 0.0385, pds: 0.0452 }),
  ...series('D', 'v5', 2, to64, { pls: 0.034, plds: 0.0388 }),
  ...series('D', 'v6', 4, to96, { s: 0.0504, ds: 0.0593, as: 0.0454, ads: 0.0544, ps: 0.0387, pds: 0.0455 }),
  ...series('D', 'v6', 2, to96, { ls: 0.0446, lds: 0.0509, als: 0.0405, alds: 0.0465, pls: 0.0343, plds: 0.0391 }),

  // Memory optimised.
  ...series('E', 'v3', 8, to64, { s: 0.063 }),
  ...series('E', 'v4', 8, to64, { s: 0.063, ds: 0.072, as: 0.063 }),
  ...series('E', 'v5', 8, [2, 4, 8, 16, 20, 32, 48, 64, 96], { s: 0.063, ds: 0.072, as: 0.0565, ads: 0.0655 }),
  ...series('E', 'v5', 8, [2, 4, 8, 16, 20, 32], { ps: 0.0505, pds: 0.0572 }),
  ...series('E', 'v6', 8, to96, { s: 0.0662, ds: 0.0756, as: 0.0597, ads: 0.0693, ps: 0.0509, pds: 0.0577 }),
  ...series('M', 'v2', 28, [8, 16, 32, 64, 128], { ms: 0.2053 }),

  // Compute optimised.
  ...series('F', 'v2', 2, [2, 4, 8, 16, 32, 48, 64, 72], { s: 0.0423 }),
  ...series('F', 'v6', 2, to64, { als: 0.0422 }),
  ...series('F', 'v6', 4, to64, { as: 0.0476 }),
  ...series('F', 'v6', 8, to64, { ams: 0.0625 }),

  // Storage optimised.
  ...series('L', 'v3', 8, [8, 16, 32, 48, 64, 80], { s: 0.078, as: 0.078 }),
  ...series('L', 'v4', 8, [2, 4, 8, 16, 32, 48, 64, 80, 96], { s: 0.086, as: 0.082 }),

  // Accelerated.
  gpu('NC', 'as', 'v3', 'T4', 'nvidia', 0.1315, 7, [4, 8, 16, 64], 16),
  gpu('NC', 'ads', 'v4', 'A100', 'nvidia', 0.153, 9.17, [24, 48, 96], 24),
  gpu('NC', 'ads', 'v5', 'H100', 'nvidia', 0.1745, 8, [40, 80], 40),
  gpu('NV', 'ads', 'v5', 'A10', 'nvidia', 0.0889, 12.2, [6, 12, 18, 36, 72], 36),
  gpu('ND', 'asr', 'v4', 'A100', 'nvidia', 0.2832, 9.375, [96], 12),
]

function gpu(
  family: string,
  features: string,
  version: string,
  name: string,
  manufacturer: 'nvidia' | 'amd',
  pricePerCpu: number,
  memoryGibPerCpu: number,
  cpus: ReadonlyArray<number>,
  cpuPerGpu: number,
): AzureSeries {
  return {
    family,
    features,
    version,
    pricePerCpu,
    memoryGibPerCpu,
    cpus,
    accelerator: { name, manufacturer, cpuPerGpu },
  }
}
