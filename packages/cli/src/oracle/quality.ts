import type { ProvisionOutput } from '@scantling/core'

/** How good answers are, whichever pods went where; of many answers, in sum. */
export interface Quality {
  readonly unplaced: number
  readonly nodes: number
  readonly pricePerHour: number
}

export const qualityOf = (outputs: ReadonlyArray<ProvisionOutput>): Quality => ({
  unplaced: outputs.reduce((sum, { podErrors }) => sum + Object.keys(podErrors).length, 0),
  nodes: outputs.reduce((sum, { newNodeClaims }) => sum + newNodeClaims.length, 0),
  pricePerHour: outputs.flatMap(({ newNodeClaims }) => newNodeClaims).reduce((sum, { price = 0 }) => sum + price, 0),
})

/** Whether ours is no worse than theirs by more than a hundredth, in every respect. */
export const isAsGood = (ours: Quality, theirs: Quality): boolean =>
  (['unplaced', 'nodes', 'pricePerHour'] as const).every((respect) => ours[respect] <= theirs[respect] * slack)

const slack = 1.01
