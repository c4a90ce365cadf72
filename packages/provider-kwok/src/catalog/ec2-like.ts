import { labelKeys } from '@scantling/core'
import type { CatalogEntry, CatalogOverhead } from './catalog-entry.ts'
import { ec2Families, type Ec2Family } from './ec2-families.ts'
import { kwokLabels } from './kwok-labels.ts'
import { offeringsOf } from './spot-market.ts'

const region = 'us-west-2'
const zones = ['a', 'b', 'c', 'd'].map((letter) => region + letter)
const ownLabel = (name: string) => `karpenter.k8s.aws/${name}`

/** More than 700 types in the families, sizes, prices, pod limits and overheads that EC2 and EKS users know. */
export const ec2Like = (seed: string): ReadonlyArray<CatalogEntry> =>
  ec2Families.flatMap((family) => family.sizes.map((size) => entryOf(family, size, seed)))

const entryOf = (family: Ec2Family, size: string, seed: string): CatalogEntry => {
  const name = `${family.name}.${size}`
  const isBurstable = family.name.startsWith('t')
  const cpu = cpuOf(family, size)
  const memoryMib = isBurstable ? burstableMemoryGib(size) * 1024 : Math.round(family.memoryGibPerCpu * cpu * 1024)
  const architecture = family.manufacturer === 'aws' ? 'arm64' : 'amd64'
  const pods = podLimit(size, isBurstable)
  return {
    name,
    architecture,
    operatingSystems: ['linux'],
    resources: {
      cpu: String(cpu),
      memory: `${memoryForKubelet(memoryMib, architecture)}Mi`,
      pods: String(pods),
      'ephemeral-storage': '20Gi',
      ...devices(family, size),
    },
    overhead: overheadOf(cpu, pods),
    labels: { ...labelsOf(family, size, cpu, memoryMib), [labelKeys.region]: region },
    offerings: offeringsOf({
      name,
      family: family.name,
      onDemandPerHour: isBurstable
        ? (family.pricePerCpu / general) * burstableMemoryGib(size)
        : family.pricePerCpu * cpu,
      // A type's newest and rarest families come to some zones before others.
      zones: isRare(family) ? zones.slice(0, 3) : zones,
      seed,
    }),
  }
}

const xenFamilies = new Set(['t2', 'm4', 'c4', 'r4', 'i3', 'p3'])

const isRare = (family: Ec2Family) => /^(p|trn|inf|x8|i8|i7)/.test(family.name)

const general = 4

const burstableMemory = new Map([
  ['nano', 0.5],
  ['micro', 1],
  ['small', 2],
  ['medium', 4],
  ['large', 8],
  ['xlarge', 16],
  ['2xlarge', 32],
])
const burstableMemoryGib = (size: string) => burstableMemory.get(size) ?? 32

const cpuOf = (family: Ec2Family, size: string): number => {
  if (family.name.startsWith('t') && !size.endsWith('xlarge')) return 2
  if (size === 'medium') return 1
  if (size === 'large') return 2
  if (size.startsWith('metal')) {
    const multiple = /^metal-(\d+)xl$/.exec(size)?.[1]
    // Plain metal is the whole host: as large as the family's largest virtual size.
    return multiple === undefined ? largestCpu(family) : 4 * Number(multiple)
  }
  return size === 'xlarge' ? 4 : 4 * Number.parseInt(size, 10)
}

const largestCpu = (family: Ec2Family): number =>
  Math.max(...family.sizes.filter((size) => !size.startsWith('metal')).map((size) => cpuOf(family, size)))

// Network interfaces and addresses on each, by size: both step up with the size of the slice of the host.
const interfacesBySize: ReadonlyArray<readonly [largestCpu: number, interfaces: number, addresses: number]> = [
  [1, 2, 4],
  [2, 3, 10],
  [8, 4, 15],
  [48, 8, 30],
  [Infinity, 15, 50],
]
const burstableInterfaces = new Map<string, readonly [interfaces: number, addresses: number]>([
  ['nano', [2, 2]],
  ['micro', [2, 2]],
  ['small', [3, 4]],
  ['medium', [3, 6]],
  ['large', [3, 12]],
])

/** A-CAP-06: each interface keeps one address for itself, and two pods use the host's network. */
const podLimit = (size: string, isBurstable: boolean): number => {
  const cpu = size === 'medium' ? 1 : size === 'large' ? 2 : size === 'xlarge' ? 4 : 4 * multipleOf(size)
  const [, interfaces, addresses] = interfacesBySize.find(([largest]) => cpu <= largest) ?? [0, 15, 50]
  const [enis, ips] = (isBurstable ? burstableInterfaces.get(size) : undefined) ?? [interfaces, addresses]
  return enis * (ips - 1) + 2
}
const multipleOf = (size: string) => Number(/\d+/.exec(size)?.[0] ?? 24)

/** A-CAP-02: what the hypervisor takes of the memory, as EC2 users of the reference configure it by default. */
const memoryForKubelet = (memoryMib: number, architecture: string): number => {
  const visible = architecture === 'arm64' ? memoryMib - 64 : memoryMib
  return visible - Math.ceil(visible * 0.075)
}

/** A-OVH-01, A-OVH-02, A-OVH-03, A-OVH-05. */
const overheadOf = (cpu: number, pods: number): CatalogOverhead => {
  const milli = (share: number, from: number, to: number) =>
    Math.floor(Math.max(0, Math.min(cpu, to) - from) * share * 1000 + 1e-6)
  return {
    kubeReserved: {
      cpu: `${milli(0.06, 0, 1) + milli(0.01, 1, 2) + milli(0.005, 2, 4) + milli(0.0025, 4, Infinity)}m`,
      memory: `${11 * pods + 255}Mi`,
      'ephemeral-storage': '1Gi',
    },
    evictionThreshold: { memory: '100Mi', 'ephemeral-storage': '2Gi' },
  }
}

const devices = (family: Ec2Family, size: string): Readonly<Record<string, string>> => {
  const { accelerator } = family
  const count = accelerator?.countBySize[size]
  if (accelerator === undefined || count === undefined) return {}
  return accelerator.kind === 'gpu'
    ? { [`${accelerator.manufacturer}.com/gpu`]: String(count) }
    : { 'aws.amazon.com/neuron': String(count), 'aws.amazon.com/neuroncore': String(count * 2) }
}

/** A-LBL-02, A-LBL-06: the labels that manifests for EC2 select by. */
const labelsOf = (
  family: Ec2Family,
  size: string,
  cpu: number,
  memoryMib: number,
): Readonly<Record<string, string>> => {
  const [, category = '', generation = ''] = /^([a-z]+)(\d+)/.exec(family.name) ?? []
  const isMetal = size.startsWith('metal')
  const { accelerator } = family
  const count = accelerator?.countBySize[size]
  const isXen = xenFamilies.has(family.name)
  return {
    ...kwokLabels({ size, family: family.name, cpu: String(cpu), memory: memoryText(memoryMib) }),
    [ownLabel('instance-category')]: category,
    [ownLabel('instance-generation')]: generation,
    [ownLabel('instance-family')]: family.name,
    [ownLabel('instance-size')]: size,
    [ownLabel('instance-capability-flex')]: String(family.name.endsWith('-flex')),
    [ownLabel('instance-cpu')]: String(cpu),
    [ownLabel('instance-cpu-manufacturer')]: family.manufacturer,
    [ownLabel('instance-cpu-sustained-clock-speed-mhz')]: String(family.clockMhz),
    [ownLabel('instance-memory')]: String(memoryMib),
    [ownLabel('instance-hypervisor')]: isMetal ? '' : isXen ? 'xen' : 'nitro',
    [ownLabel('instance-encryption-in-transit-supported')]: String(!isXen && !family.name.startsWith('t')),
    [ownLabel('instance-ebs-bandwidth')]: String(Math.min(80_000, Math.max(650, Math.round(cpu * 593.75)))),
    [ownLabel('instance-network-bandwidth')]: String(
      Math.min(200_000, Math.round(cpu * (family.networkMbpsPerCpu ?? 390.625))),
    ),
    ...(family.nvmeGbPerCpu !== undefined && {
      [ownLabel('instance-local-nvme')]: String(Math.round(family.nvmeGbPerCpu * cpu)),
    }),
    ...(accelerator?.kind === 'gpu' &&
      count !== undefined && {
        [ownLabel('instance-gpu-name')]: accelerator.name,
        [ownLabel('instance-gpu-manufacturer')]: accelerator.manufacturer,
        [ownLabel('instance-gpu-count')]: String(count),
        [ownLabel('instance-gpu-memory')]: String(accelerator.memoryMib),
      }),
    ...(accelerator?.kind === 'neuron' &&
      count !== undefined && {
        [ownLabel('instance-accelerator-name')]: accelerator.name,
        [ownLabel('instance-accelerator-manufacturer')]: accelerator.manufacturer,
        [ownLabel('instance-accelerator-count')]: String(count),
      }),
  }
}

const memoryText = (mib: number) => (mib % 1024 === 0 ? `${mib / 1024}Gi` : `${mib}Mi`)
