import { Quantity, Resources, type Overhead, type ResourceList } from '@scantling/core'
import { isAtLeast } from '../image/index.ts'
import type { ProvisionMode } from '../settings.ts'
import type { Sku } from './sku.ts'

const gib = 2 ** 30
const mib = 2 ** 20

/** What of an amount is kept, bracket by bracket. */
type Brackets = ReadonlyArray<readonly [upTo: number, rate: number]>

const memoryBrackets: Brackets = [
  [4, 0.25],
  [8, 0.2],
  [16, 0.1],
  [128, 0.06],
  [Infinity, 0.02],
]
const cpuBrackets: Brackets = [
  [1, 0.06],
  [2, 0.04],
  [4, 0.02],
  [Infinity, 0.01],
]

const keptOf = (amount: number, brackets: Brackets): number => {
  let kept = 0
  let from = 0
  for (const [upTo, rate] of brackets) {
    if (from > amount) break
    kept += (Math.min(upTo, amount) - from) * rate
    from = upTo
  }
  return kept
}

const bytes = (amount: number): Quantity => Quantity.fromNano(BigInt(amount) * 1_000_000_000n, 'BinarySI')

/**
 * Memory of a machine before a node has shown what it has: whole GiB, less the hypervisor's share (Z-CAP-02).
 *
 * **Units**: bytes.
 */
export const memoryBytesOf = (memoryGib: number, overheadPercent: number): number => {
  const whole = Math.floor(memoryGib) * gib
  return whole - Math.ceil(whole * overheadPercent)
}

/** What a machine has (Z-CAP-01). Amounts of zero stand for what it lacks. */
export const capacityOf = (
  sku: Sku,
  options: { readonly osDiskSizeGb: number; readonly maxPods: number; readonly memoryOverheadPercent: number },
): ResourceList => ({
  ...Resources.parse({
    cpu: String(sku.vCpus),
    'ephemeral-storage': `${options.osDiskSizeGb}G`,
    pods: String(options.maxPods),
    'nvidia.com/gpu': String(sku.gpuManufacturer === 'nvidia' ? sku.gpus : 0),
    'amd.com/gpu': String(sku.gpuManufacturer === 'amd' ? sku.gpus : 0),
  }),
  memory: bytes(memoryBytesOf(sku.memoryGib, options.memoryOverheadPercent)),
})

/** What decides how much a node keeps for itself. */
export interface ReservationOptions {
  readonly maxPods: number
  readonly kubernetesVersion: string
  readonly provisionMode: ProvisionMode
}

/**
 * What a node keeps for itself (Z-CAP-03…06).
 *
 * Where we write the kubelet's flags, shares of memory and CPU by bracket, and 750Mi before eviction: the flags say the
 * same (Z-CAP-08). Where AKS writes them, what AKS writes: since 1.29, 20Mi a pod and 50Mi more, at most a quarter, and
 * 100Mi before eviction. The reference expects the brackets there too (W-02).
 *
 * Source: https://learn.microsoft.com/azure/aks/node-resource-reservations
 */
export const overheadOf = (
  sku: Pick<Sku, 'vCpus' | 'memoryGib'>,
  { maxPods, kubernetesVersion, provisionMode }: ReservationOptions,
): Overhead => {
  const isByAks = provisionMode !== 'aksscriptless' && isAtLeast(kubernetesVersion, '1.29')
  const totalMib = Math.floor(sku.memoryGib * 1024)
  const memoryMib = isByAks
    ? Math.min(20 * maxPods + 50, Math.floor(totalMib / 4))
    : Math.floor(1024 * keptOf(sku.memoryGib, memoryBrackets))
  // Sums of fractions end a hair below what they are: 6 % and 4 % of a core would make 99 thousandths.
  const cpuMilli = Math.floor(round(1000 * keptOf(sku.vCpus, cpuBrackets)))
  return {
    kubeReserved: { ...Resources.parse({ cpu: `${cpuMilli}m` }), memory: bytes(memoryMib * mib) },
    systemReserved: Resources.parse({ cpu: '0', memory: '0' }),
    evictionThreshold: Resources.parse({ memory: isByAks ? '100Mi' : '750Mi' }),
  }
}

const round = (value: number): number => Math.round(value * 1e6) / 1e6
