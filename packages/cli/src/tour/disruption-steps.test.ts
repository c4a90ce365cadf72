import { fileURLToPath } from 'node:url'

import { expect, test } from '@jest/globals'

import { readManifests } from '../manifests/read-manifests.ts'
import { disruptionSteps } from './disruption-steps.ts'
import { tourSteps, type TourHands } from './steps.ts'

const examples = fileURLToPath(new URL('../../../../examples/', import.meta.url))

/** The examples that a list of steps applies, in turn. */
const examplesOf = async (steps: typeof tourSteps): Promise<ReadonlyArray<string>> => {
  const applied: Array<string> = []
  let nowMs = 0
  const hands = {
    applyExample: async (name: string) => void applied.push(name),
    scale: async () => undefined,
    scaleAllToZero: async () => undefined,
    merge: async () => undefined,
    interrupt: async () => undefined,
    setSpotCapacity: async () => undefined,
    podsOf: () => [],
    machinesOf: () => ['node'],
    whyStays: () => [],
    // Nobody has to wait for time to pass.
    nowMs: () => (nowMs += 600_000),
  } satisfies TourHands
  for (const { act } of steps) await act(hands)
  return applied
}

test('the tour of everything changes no Deployment by applying another of the same name', async () => {
  const applied = await examplesOf([...tourSteps, ...disruptionSteps()])
  expect(applied.length).toBeGreaterThan(6)
  const { manifests } = readManifests(applied.map((name) => `${examples}${name}`))
  const names = manifests.flatMap(({ object }) => {
    const { kind, metadata } = object as { readonly kind: string; readonly metadata: { readonly name: string } }
    return kind === 'Deployment' ? [metadata.name] : []
  })
  expect(names.length).toBeGreaterThan(6)
  expect(names.toSorted()).toEqual([...new Set(names)].toSorted())
})
