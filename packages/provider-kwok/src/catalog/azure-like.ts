import { labelKeys } from '@scantling/core'
import { azureSeries, type AzureSeries } from './azure-series.ts'
import type { CatalogEntry, CatalogOverhead } from './catalog-entry.ts'
import { kwokLabels } from './kwok-labels.ts'
import { offeringsOf } from './spot-market.ts'

const region = 'westeurope'
const zones = ['1', '2', '3'].map((number) => `${region}-${number}`)
const ownLabel = (name: string) => `karpenter.azure.com/${name}`

/** The virtual machine sizes that AKS users know, with AKS' reservations and pod limit. */
export const azureLike = (seed: string): ReadonlyArray<CatalogEntry> =>
  azureSeries.flatMap((series) => series.cpus.map((cpu) => entryOf(series, cpu, seed)))

const entryOf = (series: AzureSeries, cpu: number, seed: string): CatalogEntry => {
  const { family, features, version, accelerator } = series
  const middle = `${cpu}${features}${accelerator === undefined ? '' : `_${accelerator.name}`}`
  const name = `Standard_${family}${middle}_${version}`
  const memoryGib = Math.floor(series.memoryGibPerCpu * cpu)
  const gpuCount = accelerator === undefined ? 0 : Math.max(1, Math.floor(cpu / accelerator.cpuPerGpu))
  return {
    name,
    architecture: features.includes('p') ? 'arm64' : 'amd64',
    operatingSystems: ['linux'],
    resources: {
      cpu: String(cpu),
      memory: `${memoryGib * 1024 - Math.ceil(memoryGib * 1024 * 0.075)}Mi`,
      pods: '250',
      'ephemeral-storage': '128G',
      ...(accelerator && { [`${accelerator.manufacturer}.com/gpu`]: String(gpuCount) }),
    },
    overhead: overheadOf(cpu, memoryGib),
    labels: {
      ...kwokLabels({
        size: `${family}${middle}`,
        family: `${family}${features}_${version}`,
        cpu: String(cpu),
        memory: `${memoryGib}Gi`,
      }),
      [labelKeys.region]: region,
      [ownLabel('sku-name')]: name,
      [ownLabel('sku-family')]: family.slice(0, 1),
      [ownLabel('sku-series')]: `${family}${features}_${version}`,
      [ownLabel('sku-version')]: version.slice(1),
      [ownLabel('sku-cpu')]: String(cpu),
      [ownLabel('sku-memory')]: String(memoryGib * 1024),
      [ownLabel('sku-networking-accelerated')]: 'true',
      [ownLabel('sku-storage-premium-capable')]: String(features.includes('s')),
      ...(features.includes('d') && {
        [ownLabel('sku-storage-ephemeralos-maxsize')]: String(Math.round(cpu * 37.5)),
      }),
      [ownLabel('sku-gpu-count')]: String(gpuCount),
      ...(accelerator && {
        [ownLabel('sku-gpu-manufacturer')]: accelerator.manufacturer,
        [ownLabel('sku-gpu-name')]: accelerator.name,
      }),
      'kubernetes.azure.com/sku-cpu': String(cpu),
      'kubernetes.azure.com/sku-memory': String(memoryGib * 1024),
    },
    offerings: offeringsOf({ name, family: family + features, onDemandPerHour: series.pricePerCpu * cpu, zones, seed }),
  }
}

const band = (amount: number, from: number, to: number) => Math.max(0, Math.min(amount, to) - from)

/** Z-CAP-03, Z-CAP-04, Z-CAP-06. */
const overheadOf = (cpu: number, memoryGib: number): CatalogOverhead => ({
  kubeReserved: {
    cpu: `${Math.floor(60 * band(cpu, 0, 1) + 40 * band(cpu, 1, 2) + 20 * band(cpu, 2, 4) + 10 * band(cpu, 4, Infinity))}m`,
    memory: `${Math.floor(
      1024 *
        (0.25 * band(memoryGib, 0, 4) +
          0.2 * band(memoryGib, 4, 8) +
          0.1 * band(memoryGib, 8, 16) +
          0.06 * band(memoryGib, 16, 128) +
          0.02 * band(memoryGib, 128, Infinity)),
    )}Mi`,
  },
  evictionThreshold: { memory: '750Mi' },
})
