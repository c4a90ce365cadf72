/** What a price is made from. */
export interface PricedType {
  readonly name: string
  readonly vcpus: number
  readonly memoryMiB: number
  readonly gpus: number
}

/** A price per hour that orders types as real ones would: by processors, memory and accelerators. Made up. */
export const syntheticPrice = ({ vcpus, memoryMiB, gpus }: PricedType): number =>
  Math.round((vcpus * 0.024 + (memoryMiB / 1024) * 0.0032 + gpus * 0.9) * 10_000) / 10_000

/** Made up as well: spot costs between three and five tenths, differing by zone. */
export const syntheticSpotPrice = (onDemand: number, zone: string): number =>
  Math.round(onDemand * (0.3 + (zone.charCodeAt(zone.length - 1) % 5) * 0.05) * 10_000) / 10_000
