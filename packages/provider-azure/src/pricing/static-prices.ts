import { parseVmSize } from '../instance-types/index.ts'
import type { Prices } from './prices.ts'

/**
 * Prices before the first list is read, and where there is none: in proportion to what a machine has (Z-PRI-01).
 *
 * Not what Azure charges: an order, so that planning does not take the largest machine for the cheapest. The reference
 * carries a table of list prices, which ages with every release (W-12).
 */
export const estimatedPrices = (
  skus: ReadonlyArray<{
    readonly name: string
    readonly vCpus: number
    readonly memoryGib: number
    readonly gpus: number
    readonly arch: string
  }>,
): Prices => {
  const onDemand = new Map(skus.map((sku) => [sku.name, estimateOf(sku)]))
  return { onDemand, spot: new Map() }
}

const perVCpu = 0.036
const perGib = 0.003
const perGpu = 1.5
const armFactor = 0.8
// A generation later the same money buys more.
const perVersion = 0.0005

const estimateOf = (sku: Parameters<typeof estimatedPrices>[0][number]): number => {
  const size = parseVmSize(sku.name.replace(/^Standard_/, ''))
  const base = sku.vCpus * perVCpu + sku.memoryGib * perGib
  const estimate =
    base * (sku.arch === 'arm64' ? armFactor : 1) - perVersion * Number(size?.version ?? 1) + sku.gpus * perGpu
  return Math.round(estimate * 10_000) / 10_000
}
