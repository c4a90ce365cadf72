import type { IntOrPercent } from './objects.ts'

/**
 * The count that a value such as `3` or `25%` means of `total`.
 *
 * Text that is neither counts as 0: the API server refuses it before a controller sees it.
 */
export const resolveIntOrPercent = (value: IntOrPercent, total: number, round: 'up' | 'down'): number => {
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value)?.[1]
  if (percent === undefined) return /^\d+$/.test(value) ? Number(value) : 0
  const exact = (Number(percent) * total) / 100
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact)
}
