import type { PriceChange } from '../cluster/index.ts'

/**
 * The price after a change, never below zero (P-ITO-06).
 *
 * An offering without a price has nothing that an adjustment could start from; only a replacement gives it one.
 *
 * @example
 * changedPrice(0.4, { _tag: 'AddPercent', percent: -50 }) // => 0.2
 */
export const changedPrice = (pricePerHour: number | undefined, change: PriceChange): number | undefined => {
  if (change._tag === 'Replace') return change.pricePerHour
  if (pricePerHour === undefined) return undefined
  const changed =
    change._tag === 'AddPercent' ? pricePerHour * (1 + change.percent / 100) : pricePerHour + change.pricePerHour
  return Math.max(0, changed)
}
