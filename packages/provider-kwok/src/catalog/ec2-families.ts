/** A family of machines: sizes that share price per vCPU, memory per vCPU and hardware. */
export interface Ec2Family {
  readonly name: string
  readonly manufacturer: 'intel' | 'amd' | 'aws'
  /** **Units**: US dollars per hour and vCPU, as publicly listed for Linux in us-west-2, rounded. */
  readonly pricePerCpu: number
  readonly memoryGibPerCpu: number
  readonly sizes: ReadonlyArray<string>
  readonly clockMhz: number
  /** **Units**: decimal gigabytes of local NVMe per vCPU. */
  readonly nvmeGbPerCpu?: number
  /** **Units**: network megabits per second and vCPU, up to the cap of the largest size. */
  readonly networkMbpsPerCpu?: number
  readonly accelerator?: Accelerator
}

/** Devices by size; sizes left out have none. */
export interface Accelerator {
  readonly kind: 'gpu' | 'neuron'
  readonly name: string
  readonly manufacturer: 'nvidia' | 'amd' | 'aws'
  readonly memoryMib: number
  readonly countBySize: Readonly<Record<string, number>>
}

const sizes = (text: string): ReadonlyArray<string> => text.split(' ')

const burstable = sizes('nano micro small medium large xlarge 2xlarge')
const upTo16 = sizes('large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge')
const upTo24 = sizes('large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge metal')
const upTo32 = sizes('large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge metal')
const upTo48 = sizes('large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge metal-24xl metal-48xl')
const amdUpTo48 = sizes('large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge')
const compute5 = sizes('large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge metal')
const gravitonUpTo16 = sizes('medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge metal')
const gravitonUpTo48 = sizes(
  'medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge metal-24xl metal-48xl',
)

const compute = 2
const general = 4
const memory = 8

/**
 * The families of the EC2-like catalogue.
 *
 * Source: the public instance type pages and price lists of EC2 for US West (Oregon), as levels per vCPU rather than a
 * copy of every row: prices are linear in vCPUs within a family there, too.
 */
export const ec2Families: ReadonlyArray<Ec2Family> = [
  // Burstable: memory by size, see `burstableMemoryGib`.
  {
    name: 't2',
    manufacturer: 'intel',
    pricePerCpu: 0.0464,
    memoryGibPerCpu: general,
    sizes: burstable,
    clockMhz: 2300,
  },
  {
    name: 't3',
    manufacturer: 'intel',
    pricePerCpu: 0.0416,
    memoryGibPerCpu: general,
    sizes: burstable,
    clockMhz: 2500,
  },
  { name: 't3a', manufacturer: 'amd', pricePerCpu: 0.0376, memoryGibPerCpu: general, sizes: burstable, clockMhz: 2200 },
  { name: 't4g', manufacturer: 'aws', pricePerCpu: 0.0336, memoryGibPerCpu: general, sizes: burstable, clockMhz: 2500 },

  // General purpose.
  ...family('m4', 'intel', 0.05, general, sizes('large xlarge 2xlarge 4xlarge 16xlarge'), 2300),
  ...family('m5', 'intel', 0.048, general, upTo24, 3100, { d: 0.0565, n: 0.0595, dn: 0.068 }),
  ...family('m5zn', 'intel', 0.0826, general, sizes('large xlarge 2xlarge 3xlarge 6xlarge 12xlarge metal'), 4500),
  ...family('m5a', 'amd', 0.043, general, upTo16.concat('24xlarge'), 2500, { d: 0.0515 }),
  ...family('m6i', 'intel', 0.048, general, upTo32, 3500, { d: 0.05933, n: 0.06963, dn: 0.07956 }),
  ...family('m6a', 'amd', 0.0432, general, amdUpTo48.concat('metal'), 3600),
  ...family('m6g', 'aws', 0.0385, general, gravitonUpTo16, 2500, { d: 0.0452 }),
  ...family('m7i', 'intel', 0.0504, general, upTo48, 3200),
  ...family('m7i-flex', 'intel', 0.04788, general, upTo16, 3200),
  ...family('m7a', 'amd', 0.05796, general, ['medium', ...amdUpTo48, 'metal-48xl'], 3700),
  ...family('m7g', 'aws', 0.0408, general, gravitonUpTo16, 2600, { d: 0.0534 }),
  ...family('m8i', 'intel', 0.0529, general, upTo48, 3900),
  ...family('m8i-flex', 'intel', 0.0503, general, upTo16, 3900),
  ...family('m8a', 'amd', 0.06086, general, ['medium', ...amdUpTo48], 4500),
  ...family('m8g', 'aws', 0.04488, general, gravitonUpTo48, 2800, { d: 0.0588 }),

  // Compute optimised.
  ...family('c4', 'intel', 0.05, 1.875, sizes('large xlarge 2xlarge 4xlarge 8xlarge'), 2900),
  ...family('c5', 'intel', 0.0425, compute, compute5, 3400, { d: 0.048, n: 0.054 }),
  ...family('c5a', 'amd', 0.0385, compute, upTo16.concat('24xlarge'), 3300, { d: 0.043 }),
  ...family('c6i', 'intel', 0.0425, compute, upTo32, 3500, { d: 0.0504, n: 0.0567 }),
  ...family('c6a', 'amd', 0.03825, compute, amdUpTo48.concat('metal'), 3600),
  ...family('c6g', 'aws', 0.034, compute, gravitonUpTo16, 2500, { d: 0.0384, n: 0.0432 }),
  ...family('c7i', 'intel', 0.04462, compute, upTo48, 3200),
  ...family('c7i-flex', 'intel', 0.04239, compute, upTo16, 3200),
  ...family('c7a', 'amd', 0.05132, compute, ['medium', ...amdUpTo48, 'metal-48xl'], 3700),
  ...family('c7g', 'aws', 0.03625, compute, gravitonUpTo16, 2600, { d: 0.04535, n: 0.0624 }),
  ...family('c8i', 'intel', 0.04685, compute, upTo48, 3900),
  ...family('c8i-flex', 'intel', 0.04451, compute, upTo16, 3900),
  ...family('c8a', 'amd', 0.05389, compute, ['medium', ...amdUpTo48], 4500),
  ...family('c8g', 'aws', 0.03988, compute, gravitonUpTo48, 2800, { d: 0.0499 }),

  // Memory optimised.
  ...family('r4', 'intel', 0.0665, 7.625, sizes('large xlarge 2xlarge 4xlarge 8xlarge 16xlarge'), 2300),
  ...family('r5', 'intel', 0.063, memory, upTo24, 3100, { d: 0.072, n: 0.0745, dn: 0.0835, b: 0.0745 }),
  ...family('r5a', 'amd', 0.0565, memory, upTo16.concat('24xlarge'), 2500, { d: 0.0655 }),
  ...family('r6i', 'intel', 0.063, memory, upTo32, 3500, { d: 0.0756, n: 0.08717, dn: 0.09774 }),
  ...family('r6a', 'amd', 0.0567, memory, amdUpTo48.concat('metal'), 3600),
  ...family('r6g', 'aws', 0.0504, memory, gravitonUpTo16, 2500, { d: 0.0576 }),
  ...family('r7i', 'intel', 0.06615, memory, upTo48, 3200),
  ...family('r7iz', 'intel', 0.093, memory, upTo32.slice(0, 7).concat('32xlarge'), 3900),
  ...family('r7a', 'amd', 0.07608, memory, ['medium', ...amdUpTo48, 'metal-48xl'], 3700),
  ...family('r7g', 'aws', 0.05355, memory, gravitonUpTo16, 2600, { d: 0.0684 }),
  ...family('r8i', 'intel', 0.06946, memory, upTo48, 3900),
  ...family('r8i-flex', 'intel', 0.06599, memory, upTo16, 3900),
  ...family('r8g', 'aws', 0.05891, memory, gravitonUpTo48, 2800, { d: 0.0753 }),
  ...family('x2gd', 'aws', 0.0835, 16, gravitonUpTo16, 2500),
  ...family(
    'x2iedn',
    'intel',
    0.20844,
    32,
    sizes('xlarge 2xlarge 4xlarge 8xlarge 16xlarge 24xlarge 32xlarge metal'),
    3500,
  ),
  ...family('x2idn', 'intel', 0.10422, 16, sizes('16xlarge 24xlarge 32xlarge metal'), 3500),
  ...family('x8g', 'aws', 0.0977, 16, gravitonUpTo48, 2800),
  ...family('z1d', 'intel', 0.093, memory, sizes('large xlarge 2xlarge 3xlarge 6xlarge 12xlarge metal'), 4000),

  // Storage optimised.
  ...family('i3', 'intel', 0.078, 7.625, sizes('large xlarge 2xlarge 4xlarge 8xlarge 16xlarge metal'), 2300),
  ...family(
    'i3en',
    'intel',
    0.113,
    memory,
    sizes('large xlarge 2xlarge 3xlarge 6xlarge 12xlarge 24xlarge metal'),
    3100,
  ),
  ...family('i4i', 'intel', 0.0858, memory, upTo32, 3500),
  ...family('i4g', 'aws', 0.07723, memory, sizes('large xlarge 2xlarge 4xlarge 8xlarge 16xlarge'), 2500),
  ...family('i7i', 'intel', 0.0944, memory, upTo48, 3200),
  ...family('i8g', 'aws', 0.0858, memory, gravitonUpTo48.slice(1), 2800),
  ...family('im4gn', 'aws', 0.09095, general, sizes('large xlarge 2xlarge 4xlarge 8xlarge 16xlarge'), 2500),
  ...family('is4gen', 'aws', 0.1441, 6, sizes('medium large xlarge 2xlarge 4xlarge 8xlarge'), 2500),
  ...family('d3', 'intel', 0.12475, memory, sizes('xlarge 2xlarge 4xlarge 8xlarge'), 3100),

  // Accelerated.
  withGpu(
    'g4dn',
    'intel',
    0.1315,
    general,
    'xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge metal',
    'nvidia',
    't4',
    16,
    {
      '12xlarge': 4,
      metal: 8,
    },
  ),
  withGpu(
    'g5',
    'amd',
    0.1515,
    general,
    'xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge',
    'nvidia',
    'a10g',
    24,
    {
      '12xlarge': 4,
      '24xlarge': 4,
      '48xlarge': 8,
    },
  ),
  withGpu('g5g', 'aws', 0.105, compute, 'xlarge 2xlarge 4xlarge 8xlarge 16xlarge metal', 'nvidia', 't4g', 16, {
    '16xlarge': 2,
    metal: 2,
  }),
  withGpu(
    'g6',
    'amd',
    0.1506,
    general,
    'xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge',
    'nvidia',
    'l4',
    24,
    {
      '12xlarge': 4,
      '24xlarge': 4,
      '48xlarge': 8,
    },
  ),
  withGpu(
    'g6e',
    'amd',
    0.2354,
    memory,
    'xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge',
    'nvidia',
    'l40s',
    48,
    {
      '12xlarge': 4,
      '24xlarge': 4,
      '48xlarge': 8,
    },
  ),
  withGpu('p3', 'intel', 0.3825, 7.625, '2xlarge 8xlarge 16xlarge', 'nvidia', 'v100', 16, {
    '8xlarge': 4,
    '16xlarge': 8,
  }),
  withGpu('p4d', 'intel', 0.2287, 12, '24xlarge', 'nvidia', 'a100', 40, { '24xlarge': 8 }),
  withGpu('p5', 'amd', 0.2867, 10.67, '48xlarge', 'nvidia', 'h100', 80, { '48xlarge': 8 }),
  withNeuron('inf1', 0.057, compute, 'xlarge 2xlarge 6xlarge 24xlarge', 'inferentia', { '6xlarge': 4, '24xlarge': 16 }),
  withNeuron('inf2', 0.1352, general, 'xlarge 8xlarge 24xlarge 48xlarge', 'inferentia2', {
    '24xlarge': 6,
    '48xlarge': 12,
  }),
  withNeuron('trn1', 0.168, general, '2xlarge 32xlarge', 'trainium', { '32xlarge': 16 }),
]

/**
 * A family and its variants of the same processor: `d` with local NVMe, `n` with more network, `dn` with both, `b` with
 * more disk bandwidth. `variants` gives their prices per vCPU.
 */
function family(
  name: string,
  manufacturer: Ec2Family['manufacturer'],
  pricePerCpu: number,
  memoryGibPerCpu: number,
  familySizes: ReadonlyArray<string>,
  clockMhz: number,
  variants: Readonly<Record<string, number>> = {},
): ReadonlyArray<Ec2Family> {
  return [['', pricePerCpu] as const, ...Object.entries(variants)].map(([suffix, price]): Ec2Family => {
    const whole = name + suffix
    const [letters = '', , options = ''] = whole.split(/(\d+)/)
    const hasDisk = options.includes('d') || letters.startsWith('i') || letters.startsWith('d')
    return {
      name: whole,
      manufacturer,
      pricePerCpu: price,
      memoryGibPerCpu,
      sizes: familySizes,
      clockMhz,
      ...(hasDisk && { nvmeGbPerCpu: letters.startsWith('i') ? 234 : 37.5 }),
      ...(options.includes('n') && { networkMbpsPerCpu: 1562 }),
    }
  })
}

function withGpu(
  name: string,
  manufacturer: Ec2Family['manufacturer'],
  pricePerCpu: number,
  memoryGibPerCpu: number,
  sizeText: string,
  gpuManufacturer: 'nvidia' | 'amd',
  gpuName: string,
  gpuMemoryGib: number,
  several: Readonly<Record<string, number>>,
): Ec2Family {
  const familySizes = sizes(sizeText)
  return {
    name,
    manufacturer,
    pricePerCpu,
    memoryGibPerCpu,
    sizes: familySizes,
    clockMhz: 2800,
    nvmeGbPerCpu: 30,
    accelerator: {
      kind: 'gpu',
      name: gpuName,
      manufacturer: gpuManufacturer,
      memoryMib: gpuMemoryGib * 1024,
      countBySize: Object.fromEntries(familySizes.map((size) => [size, several[size] ?? 1])),
    },
  }
}

function withNeuron(
  name: string,
  pricePerCpu: number,
  memoryGibPerCpu: number,
  sizeText: string,
  deviceName: string,
  several: Readonly<Record<string, number>>,
): Ec2Family {
  const familySizes = sizes(sizeText)
  return {
    name,
    manufacturer: 'intel',
    pricePerCpu,
    memoryGibPerCpu,
    sizes: familySizes,
    clockMhz: 2800,
    accelerator: {
      kind: 'neuron',
      name: deviceName,
      manufacturer: 'aws',
      memoryMib: 0,
      countBySize: Object.fromEntries(familySizes.map((size) => [size, several[size] ?? 1])),
    },
  }
}
