import { Quantity, Resources, type InstanceType, type ResourceList } from '@scantling/core'

/** CPU that the kubelet keeps: a share of each band of cores, which falls as cores rise. **Units**: millicores. */
const cpuBands: ReadonlyArray<{ readonly fromMilli: number; readonly toMilli: number; readonly share: number }> = [
  { fromMilli: 0, toMilli: 1000, share: 0.06 },
  { fromMilli: 1000, toMilli: 2000, share: 0.01 },
  { fromMilli: 2000, toMilli: 4000, share: 0.005 },
  { fromMilli: 4000, toMilli: Infinity, share: 0.0025 },
]

const reservedCpuMilli = (cpuMilli: number): number =>
  cpuBands.reduce(
    (sum, { fromMilli, toMilli, share }) =>
      sum + Math.trunc(Math.max(Math.min(cpuMilli, toMilli) - fromMilli, 0) * share),
    0,
  )

export interface OverheadOptions {
  readonly cores: number
  /** The pods that count for the memory that the kubelet keeps. */
  readonly reservingPods: number
  readonly memoryMib: number
  readonly ephemeralStorage: Quantity
  readonly kubeReserved: Readonly<Record<string, string>>
  readonly systemReserved: Readonly<Record<string, string>>
  readonly evictionHard?: Readonly<Record<string, string>>
}

/**
 * What a node keeps for itself (A-OVH).
 *
 * What users write of `kubeReserved` replaces the default of that resource alone; `evictionSoft` keeps nothing.
 */
export const overheadOf = (options: OverheadOptions): InstanceType['overhead'] => ({
  kubeReserved: Resources.parse({
    memory: `${11 * options.reservingPods + 255}Mi`,
    cpu: `${reservedCpuMilli(options.cores * 1000)}m`,
    'ephemeral-storage': '1Gi',
    ...options.kubeReserved,
  }),
  systemReserved: Resources.parse(options.systemReserved),
  evictionThreshold: evictionThresholdOf(options),
})

const evictionThresholdOf = ({ memoryMib, ephemeralStorage, evictionHard = {} }: OverheadOptions): ResourceList => {
  const memory = evictionHard['memory.available']
  const storage = evictionHard['nodefs.available']
  const storageBytes = Quantity.toNumber(ephemeralStorage)
  return Resources.parse({
    memory: memory === undefined ? '100Mi' : thresholdOf(memory, memoryMib * 2 ** 20),
    'ephemeral-storage':
      storage === undefined ? String(Math.ceil((storageBytes / 100) * 10)) : thresholdOf(storage, storageBytes),
  })
}

// The kubelet reads 100% as no threshold at all.
const thresholdOf = (value: string, bytes: number): string => {
  if (!value.endsWith('%')) return value
  const percent = Number(value.slice(0, -1))
  return String(percent === 100 ? 0 : Math.ceil((bytes / 100) * percent))
}
