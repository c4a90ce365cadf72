import { fileURLToPath } from 'node:url'

import { expect, test } from '@jest/globals'
import * as E from 'fp-ts/lib/Either.js'

import { mixedFleet } from '../bench/mixed-fleet.ts'
import { catalogsIn } from '../packages/cli/src/plan/scenario-files.ts'
import { planDisruption, readScenario, type DisruptionPlan } from '../packages/core/src/index.ts'

const catalogs = catalogsIn(fileURLToPath(new URL('../vectors/catalogs', import.meta.url)))
const savings = ({ commands }: DisruptionPlan) => commands.reduce((sum, { savingsPerHour }) => sum + savingsPerHour, 0)

// Fleets of `npm run bench:consolidation-cost` in which a search over prefixes that buys several nodes is led astray.
test.each([43, 107, 196])('fleet %i costs no more after first-fit than after the reference', (seed) => {
  const read = readScenario(mixedFleet(seed), catalogs)
  if (E.isLeft(read)) throw new Error(read.left.join('\n'))
  const { snapshot } = read.right
  const reference = savings(planDisruption(snapshot, { strategy: 'reference' }))
  expect(reference).toBeGreaterThan(0)
  expect(savings(planDisruption(snapshot, { strategy: 'first-fit', churn: 'allow' }))).toBeGreaterThanOrEqual(reference)
})
