import { labelKeys, Requirements, type InstanceType, type Offering } from '@scantling/core'
import { nodeImageVersionOf, selectImage } from '../image/index.ts'
import {
  azureLabelKeys,
  clusterLabelOf,
  internalLabelKeys,
  osSkuOf,
  sharedRequirements,
  type SharedRequirements,
} from '../labels/index.ts'
import { isFips, maxPodsOf, type AksNodeClass } from '../node-class/index.ts'
import { usesMachines, type AzureSettings } from '../settings.ts'
import { capacityOf, overheadOf } from './capacity.ts'
import type { Sku } from './sku.ts'

/** The settings that a type depends on. */
export type TypeSettings = Pick<
  AzureSettings,
  'location' | 'networkPlugin' | 'networkPluginMode' | 'nodeResourceGroup' | 'provisionMode' | 'vmMemoryOverheadPercent'
>

/**
 * A SKU as an instance type of a class.
 *
 * Zone, capacity type, placement scope and ultra disks follow from the offerings. Where no image of the class boots on
 * it, no offering is available: a launch would fail for certain.
 */
export const instanceTypeOf = (
  sku: Sku,
  offerings: ReadonlyArray<Offering>,
  nodeClass: AksNodeClass,
  settings: TypeSettings,
  kubernetesVersion: string,
  share: SharedRequirements = sharedRequirements(),
): InstanceType => {
  const maxPods = maxPodsOf(nodeClass, settings)
  const requirements = requirementsOf(sku, nodeClass, settings, share)
  const images = nodeClass.status.images ?? []
  const image = selectImage(images, { requirements })
  const imageId = image && (usesMachines(settings) ? nodeImageVersionOf(image.id) : image.id)
  const hasNoImage = images.length > 0 && image === undefined
  return {
    name: sku.name,
    requirements,
    capacity: capacityOf(sku, {
      osDiskSizeGb: nodeClass.spec.osDiskSizeGB,
      maxPods,
      memoryOverheadPercent: settings.vmMemoryOverheadPercent,
    }),
    overhead: overheadOf(sku, { maxPods, kubernetesVersion, provisionMode: settings.provisionMode }),
    offerings: hasNoImage
      ? offerings.map((offering) => ({
          ...offering,
          unavailable: { reason: 'ImageNotFound', message: `No image of the class boots on ${sku.name}` },
        }))
      : offerings,
    ...(imageId !== undefined && { imageId }),
  }
}

/** Labels of a SKU (Z-LBL-04…07, Z-LBL-10…14). What it has no value for is left out. */
const requirementsOf = (
  sku: Sku,
  nodeClass: AksNodeClass,
  { location, nodeResourceGroup }: TypeSettings,
  share: SharedRequirements,
): Requirements => {
  const { size } = sku
  // The capability is in GiB, the label in MiB.
  const memoryMib = String(Math.floor(sku.memoryGib * 1024))
  const maxOsDiskGb = sku.ephemeralOsDisk?.sizeGb ?? 0
  const labels: ReadonlyArray<readonly [key: string, ...values: ReadonlyArray<string>]> = [
    [labelKeys.instanceType, sku.name],
    [labelKeys.arch, sku.arch],
    [labelKeys.os, 'linux'],
    [labelKeys.region, location],
    [azureLabelKeys.skuName, sku.name],
    [azureLabelKeys.skuFamily, size.family],
    [azureLabelKeys.skuSeries, size.series],
    [azureLabelKeys.skuVersion, size.version],
    [azureLabelKeys.skuCpu, String(sku.vCpus)],
    [azureLabelKeys.skuMemory, memoryMib],
    [azureLabelKeys.aksCpu, String(sku.vCpus)],
    [azureLabelKeys.aksMemory, memoryMib],
    [azureLabelKeys.skuGpuCount, String(sku.gpuManufacturer === undefined ? 0 : sku.gpus)],
    ...(sku.gpuManufacturer === undefined ? [] : [[azureLabelKeys.skuGpuManufacturer, sku.gpuManufacturer] as const]),
    ...(sku.gpuManufacturer === undefined || size.accelerator === undefined
      ? []
      : [[azureLabelKeys.skuGpuName, size.accelerator] as const]),
    [azureLabelKeys.skuAcceleratedNetworking, String(sku.hasAcceleratedNetworking)],
    [azureLabelKeys.skuPremiumStorage, String(sku.hasPremiumStorage)],
    ...(maxOsDiskGb === 0 ? [] : [[azureLabelKeys.skuEphemeralOsMaxSize, String(maxOsDiskGb)] as const]),
    [azureLabelKeys.cluster, clusterLabelOf(nodeResourceGroup)],
    [azureLabelKeys.mode, 'system', 'user'],
    [azureLabelKeys.scaleSetPriority, 'regular', 'spot'],
    [azureLabelKeys.priority, 'regular', 'spot'],
    [azureLabelKeys.osSku, osSkuOf(nodeClass.spec.imageFamily)],
    ...(isFips(nodeClass) ? [[azureLabelKeys.fipsEnabled, 'true'] as const] : []),
    ...(sku.hyperVGenerations.length === 0
      ? []
      : [[internalLabelKeys.hyperVGeneration, ...sku.hyperVGenerations] as const]),
    ...(sku.quotaFamily === '' ? [] : [[internalLabelKeys.quotaFamily, sku.quotaFamily.toLowerCase()] as const]),
  ]
  return Requirements.of(labels.map(([key, ...values]) => share.isIn(key, ...values)))
}
