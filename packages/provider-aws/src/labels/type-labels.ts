import type { GpuDeviceInfo, InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { labelKeys, Requirement } from '@scantling/core'
import { awsLabelKeys, internalKeys } from './keys.ts'

const architectures: ReadonlyMap<string, 'amd64' | 'arm64'> = new Map([
  ['x86_64', 'amd64'],
  ['arm64', 'arm64'],
])

/** Kubernetes' name of an architecture of EC2; none of the others runs a kubelet. */
export const architectureOf = (name: string | undefined): 'amd64' | 'arm64' | undefined =>
  name === undefined ? undefined : architectures.get(name)

/** The architecture of a type: the first of its list that Kubernetes knows. */
export const architectureOfType = ({ ProcessorInfo }: InstanceTypeInfo): 'amd64' | 'arm64' | undefined =>
  ProcessorInfo?.SupportedArchitectures?.map(architectureOf).find((name) => name !== undefined)

/**
 * What a type's own description says of its labels, whatever the NodeClass.
 *
 * Facts that are not there are left out; the shell completes them as `DoesNotExist` (A-LBL-02).
 */
export const typeRequirements = (info: InstanceTypeInfo, region: string): ReadonlyArray<Requirement> => {
  const name = info.InstanceType ?? ''
  const labels: Record<string, string | undefined> = {
    [labelKeys.instanceType]: name,
    [labelKeys.arch]: architectureOfType(info),
    [labelKeys.region]: region,
    ...nameLabels(name),
    ...sizeLabels(info),
    ...processorLabels(info),
    ...networkLabels(info),
    ...acceleratorLabels(info),
    [internalKeys.quota]: vcpuQuotaOf(name),
  }
  return [
    ...Object.entries(labels).flatMap(([key, value]) => (value === undefined ? [] : [Requirement.isIn(key, [value])])),
    Requirement.isIn(awsLabelKeys.tenancy, ['default', 'dedicated']),
  ]
}

/** Parts of a type's name: `m6idn.32xlarge` is category m, generation 6, family m6idn, size 32xlarge (A-LBL-06). */
const nameLabels = (name: string) => {
  const [, category, , generation] = /^([a-z]+)(-[0-9]+tb)?([0-9]+).*\./.exec(name) ?? []
  const parts = name.split('.')
  const [family, size] = parts.length === 2 ? parts : []
  return {
    [awsLabelKeys.category]: category,
    [awsLabelKeys.generation]: generation,
    [awsLabelKeys.family]: family,
    [awsLabelKeys.size]: size,
    [awsLabelKeys.flex]: String(parts[0]?.includes('-flex') ?? false),
  }
}

const sizeLabels = ({ VCpuInfo, MemoryInfo, InstanceStorageInfo, EbsInfo }: InstanceTypeInfo) => ({
  [awsLabelKeys.cpu]: textOf(VCpuInfo?.DefaultVCpus),
  [awsLabelKeys.memory]: textOf(MemoryInfo?.SizeInMiB),
  [awsLabelKeys.localNvme]:
    InstanceStorageInfo?.NvmeSupport === 'unsupported' ? undefined : textOf(InstanceStorageInfo?.TotalSizeInGB),
  [awsLabelKeys.ebsBandwidth]:
    EbsInfo?.EbsOptimizedSupport === 'default' ? textOf(EbsInfo.EbsOptimizedInfo?.MaximumBandwidthInMbps) : undefined,
})

const processorLabels = ({ ProcessorInfo, Hypervisor, NitroEnclavesSupport }: InstanceTypeInfo) => {
  const clockSpeed = ProcessorInfo?.SustainedClockSpeedInGhz
  return {
    [awsLabelKeys.cpuManufacturer]: kebab(ProcessorInfo?.Manufacturer),
    [awsLabelKeys.cpuClockSpeed]: clockSpeed === undefined ? undefined : String(Math.round(clockSpeed * 1000)),
    // Bare metal has none, and its label is the empty text.
    [awsLabelKeys.hypervisor]: Hypervisor ?? '',
    [awsLabelKeys.nitroSandbox]: String(NitroEnclavesSupport === 'supported'),
  }
}

const networkLabels = (info: InstanceTypeInfo) => ({
  [awsLabelKeys.encryptionInTransit]: String(info.NetworkInfo?.EncryptionInTransitSupported ?? false),
  [awsLabelKeys.networkBandwidth]: textOf(networkBandwidthMbps(info)),
})

/**
 * What the type's network carries at any time, as EC2 itself states it: all cards together, within what the type as a
 * whole may carry.
 *
 * **Units**: megabits per second. The reference has a table scraped from the manual, which lacks the newer types.
 */
const networkBandwidthMbps = ({ NetworkInfo }: InstanceTypeInfo): number | undefined => {
  const baselines = (NetworkInfo?.NetworkCards ?? []).map(({ BaselineBandwidthInGbps }) => BaselineBandwidthInGbps)
  if (baselines.length === 0 || baselines.includes(undefined)) return undefined
  const sum = baselines.reduce<number>((total, one) => total + (one ?? 0), 0)
  const [, cards = '1', gigabits] = /^(?:(\d+)x )?([\d.]+) Gigabit$/.exec(NetworkInfo?.NetworkPerformance ?? '') ?? []
  const most = gigabits === undefined ? Infinity : Number(cards) * Number(gigabits)
  return Math.round(Math.min(sum, most) * 1000)
}

const acceleratorLabels = ({ GpuInfo, NeuronInfo, InferenceAcceleratorInfo }: InstanceTypeInfo) => {
  const gpu = onlyOne(GpuInfo?.Gpus)
  const neuron = onlyOne(NeuronInfo?.NeuronDevices)
  const inference = NeuronInfo === undefined ? onlyOne(InferenceAcceleratorInfo?.Accelerators) : undefined
  return {
    [awsLabelKeys.gpuName]: kebab(gpu?.Name),
    [awsLabelKeys.gpuManufacturer]: kebab(gpu?.Manufacturer),
    [awsLabelKeys.gpuCount]: gpu && String(gpuCountOf(gpu)),
    [awsLabelKeys.gpuMemory]: textOf(gpu?.MemoryInfo?.SizeInMiB),
    [awsLabelKeys.acceleratorName]: kebab(neuron?.Name ?? inference?.Name),
    [awsLabelKeys.acceleratorManufacturer]: neuron ? 'aws' : kebab(inference?.Manufacturer),
    [awsLabelKeys.acceleratorCount]: textOf(neuron?.Count ?? inference?.Count),
  }
}

/** Devices that pods can ask for: of a type with a part of a GPU it counts the parts, where the count of GPUs is 0. */
export const gpuCountOf = (gpu: Pick<GpuDeviceInfo, 'Count' | 'LogicalGpuCount'>): number =>
  gpu.Count === undefined || gpu.Count === 0 ? (gpu.LogicalGpuCount ?? 0) : gpu.Count

// Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
const quotas: ReadonlyArray<readonly [prefix: RegExp, quota: string]> = [
  [/^(g|gr|vt)\d/, 'g-and-vt'],
  [/^p\d/, 'p'],
  [/^inf\d/, 'inf'],
  [/^trn\d/, 'trn'],
  [/^dl\d/, 'dl'],
  [/^f\d/, 'f'],
  [/^x\d/, 'x'],
  [/^u(7|-)/, 'high-memory'],
  [/^hpc\d/, 'hpc'],
]

const vcpuQuotaOf = (name: string): string => quotas.find(([prefix]) => prefix.test(name))?.[1] ?? 'standard'

const textOf = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value))
const kebab = (text: string | undefined): string | undefined => text?.toLowerCase().replaceAll(' ', '-')
const onlyOne = <A>(list: ReadonlyArray<A> | undefined): A | undefined => (list?.length === 1 ? list[0] : undefined)
