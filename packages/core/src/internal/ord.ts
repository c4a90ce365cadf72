/** Orders text by code units, the same on every machine and in every locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Orders numbers ascending; no argument may be NaN. */
export const compareNumber = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)
