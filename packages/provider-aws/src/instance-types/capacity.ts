import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { Resources, type ResourceList } from '@scantling/core'
import { defaultVolumeSize, type FamilyTraits } from '../image/index.ts'
import { awsResources, gpuCountOf } from '../labels/index.ts'
import type { Ec2NodeClassSpec, ImageFamily } from '../node-class/index.ts'
import { branchInterfacesOf } from './branch-interfaces.ts'

const mebibyte = 2 ** 20
// The kernel of Graviton machines keeps this for contiguous memory.
const gravitonReservedMib = 64

/**
 * Memory that a machine of the type will have, before one has shown it (A-CAP-02).
 *
 * **Units**: MiB. The hypervisor keeps a share, rounded up to whole MiB.
 */
export const estimatedMemoryMib = (info: InstanceTypeInfo, overheadPercent: number): number => {
  const isArm = info.ProcessorInfo?.SupportedArchitectures?.[0] === 'arm64'
  const sizeMib = (info.MemoryInfo?.SizeInMiB ?? 0) - (isArm ? gravitonReservedMib : 0)
  return sizeMib - Math.ceil((sizeMib * mebibyte * overheadPercent) / 1024 / 1024)
}

interface StorageOptions {
  readonly family: ImageFamily
  readonly traits: FamilyTraits
  readonly spec: Pick<Ec2NodeClassSpec, 'blockDeviceMappings' | 'instanceStorePolicy'>
}

/** Room for what pods write: the first that applies of instance store, volumes of the NodeClass, volumes of the family (A-CAP-04). */
export const ephemeralStorageOf = (info: InstanceTypeInfo, { family, traits, spec }: StorageOptions): string => {
  const instanceStore = info.InstanceStorageInfo?.TotalSizeInGB
  if (spec.instanceStorePolicy === 'RAID0' && instanceStore !== undefined) return `${instanceStore}G`
  const mappings = spec.blockDeviceMappings ?? []
  const sizeOf = (mapping: (typeof mappings)[number] | undefined) => mapping?.ebs?.volumeSize
  const root = sizeOf(mappings.find(({ rootVolume }) => rootVolume === true))
  if (root !== undefined) return root
  // Which device of a user's image holds the pods' files is not known; the last one is the likeliest.
  if (family === 'Custom') return sizeOf(mappings.at(-1)) ?? defaultVolumeSize
  const isEphemeral = ({ deviceName }: { readonly deviceName?: string }) => deviceName === traits.ephemeralDevice
  return sizeOf(mappings.find(isEphemeral)) ?? sizeOf(traits.blockDevices.find(isEphemeral)) ?? defaultVolumeSize
}

export interface CapacityOptions extends StorageOptions {
  readonly spec: StorageOptions['spec'] & Pick<Ec2NodeClassSpec, 'networkInterfaces'>
  readonly pods: number
  readonly memoryMib: number
}

/** All that a machine of the type has. */
export const capacityOf = (info: InstanceTypeInfo, options: CapacityOptions): ResourceList => {
  const { spec, traits, pods, memoryMib } = options
  const count = (value: number) => String(value)
  return Resources.parse({
    cpu: count(info.VCpuInfo?.DefaultVCpus ?? 0),
    memory: `${memoryMib}Mi`,
    'ephemeral-storage': ephemeralStorageOf(info, options),
    pods: count(pods),
    [awsResources.podEni]: count(branchInterfacesOf(info.InstanceType ?? '')),
    [awsResources.nvidiaGpu]: count(gpusOf(info, 'NVIDIA')),
    [awsResources.amdGpu]: count(gpusOf(info, 'AMD')),
    [awsResources.gaudi]: count(gpusOf(info, 'Habana')),
    [awsResources.neuron]: count(sumOf(info.NeuronInfo?.NeuronDevices, ({ Count = 0 }) => Count)),
    [awsResources.neuronCore]: count(
      sumOf(info.NeuronInfo?.NeuronDevices, ({ Count = 0, CoreInfo }) => Count * (CoreInfo?.Count ?? 0)),
    ),
    [awsResources.efa]: count(efaOf(info, spec.networkInterfaces)),
    ...(traits.os === 'windows' && {
      [awsResources.privateIpv4Address]: count(Math.max((info.NetworkInfo?.Ipv4AddressesPerInterface ?? 1) - 1, 0)),
    }),
  })
}

const sumOf = <A>(list: ReadonlyArray<A> | undefined, countOf: (item: A) => number): number =>
  (list ?? []).reduce((sum, item) => sum + countOf(item), 0)

const gpusOf = ({ GpuInfo }: InstanceTypeInfo, manufacturer: string): number =>
  sumOf(GpuInfo?.Gpus, (gpu) => (gpu.Manufacturer === manufacturer ? gpuCountOf(gpu) : 0))

const efaOf = (
  { NetworkInfo }: InstanceTypeInfo,
  networkInterfaces: CapacityOptions['spec']['networkInterfaces'] = [],
) =>
  networkInterfaces.length > 0
    ? networkInterfaces.filter(({ interfaceType }) => interfaceType === 'efa-only').length
    : (NetworkInfo?.EfaInfo?.MaximumEfaInterfaces ?? 0)
