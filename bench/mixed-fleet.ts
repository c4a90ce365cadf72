/** Underused clusters of nodes of many types, drawn from a seed: consolidation has much to find, and much to miss. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { machine, nodePool, now, runningPod } from './fleet-objects.ts'

interface CatalogType {
  readonly name: string
  readonly capacity: Readonly<Record<string, string>>
  readonly requirements: ReadonlyArray<{ readonly key: string; readonly values?: ReadonlyArray<string> }>
}

const catalog = JSON.parse(
  readFileSync(fileURLToPath(new URL('../vectors/catalogs/ec2.json', import.meta.url)), 'utf8'),
) as { readonly instanceTypes: ReadonlyArray<CatalogType> }
const common = catalog.instanceTypes.filter(({ name }) => /^(t3|c5|c7i|m5|m7i|r5)\.(large|[24]?xlarge)$/.test(name))

const zones = ['test-zone-a', 'test-zone-b', 'test-zone-c']

/** Numbers in [0, 1) from a seed (mulberry32). */
const drawsFrom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A scenario of 20 to 40 nodes; equal seeds give equal scenarios. */
export const mixedFleet = (seed: number): { readonly name: string; readonly objects: ReadonlyArray<object> } => {
  const draw = drawsFrom(seed)
  const below = (count: number) => Math.floor(draw() * count)
  const oneOf = <A>(values: ReadonlyArray<A>): A => values[below(values.length)] as A
  const spotShare = oneOf([0, 0, 0.5])
  const capacityTypes = spotShare > 0 ? ['on-demand', 'spot'] : ['on-demand']
  const objects: Array<object> = [nodePool(capacityTypes, oneOf(['100%', '100%', '30%', '6']))]
  const nodes = 20 + below(21)
  const mostFilled = 0.3 + 0.6 * draw()
  for (let index = 0; index < nodes; index += 1) {
    const type = oneOf(common)
    const name = `node-${String(index).padStart(3, '0')}`
    const zone = oneOf(zones)
    const capacityType = draw() < spotShare ? 'spot' : 'on-demand'
    objects.push(...machineOf(type, { name, zone, capacityType }))
    const cpuMilli = Number(type.capacity['cpu']) * 950
    const filled = draw() * mostFilled
    // One node in ten is held by a pod that must not be moved.
    const isHeld = draw() < 0.1
    let used = 0
    for (let slot = 0; slot === 0 || used < filled * cpuMilli; slot += 1) {
      const request = Math.min(oneOf([100, 250, 500, 750, 1000, 1500]), cpuMilli - used)
      if (request < 50) break
      used += request
      const memoryMi = Math.floor(request * oneOf([0.5, 1, 1.5]))
      const app = below(10)
      objects.push(
        runningPod({
          name: `${name}-pod-${slot}`,
          nodeName: name,
          app: `app-${app}`,
          cpuMilli: Math.floor(request),
          memoryMi,
          // Every fifth workload is spread over the zones.
          maxSkew: app % 5 === 0 ? 4 : undefined,
          isHeld: isHeld && slot === 0,
        }),
      )
    }
  }
  const scenario = { version: 1, name: `mixed-${seed}`, kind: 'disrupt', now, catalog: 'ec2', objects }
  return scenario
}

const machineOf = (
  { capacity, requirements }: CatalogType,
  place: { readonly name: string; readonly zone: string; readonly capacityType: string },
): ReadonlyArray<object> => {
  const memoryMi = Number.parseInt(capacity['memory'] ?? '0', 10)
  return machine({
    ...place,
    labels: Object.fromEntries(
      requirements.flatMap(({ key, values = [] }) =>
        values.length === 1 || key === 'kubernetes.io/os'
          ? [[key, key === 'kubernetes.io/os' ? 'linux' : values[0]]]
          : [],
      ),
    ),
    capacity,
    allocatable: {
      ...capacity,
      cpu: `${Number(capacity['cpu']) * 950}m`,
      memory: `${Math.floor(memoryMi * 0.92)}Mi`,
    },
  })
}
