import { capacityTypes } from '@scantling/core'
import type { CatalogEntry } from './catalog-entry.ts'
import { offering } from './spot-market.ts'

const cpus = [1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256]
const families = [
  { letter: 'c', memoryGibPerCpu: 2 },
  { letter: 's', memoryGibPerCpu: 4 },
  { letter: 'm', memoryGibPerCpu: 8 },
]
const zones = ['test-zone-a', 'test-zone-b', 'test-zone-c', 'test-zone-d']

/** The reference's own 144 types: twelve sizes, three memory ratios, two architectures, two systems (K-01, K-02). */
export const kwokSizes = (): ReadonlyArray<CatalogEntry> =>
  cpus.flatMap((cpu) =>
    families.flatMap(({ letter, memoryGibPerCpu }) =>
      ['linux', 'windows'].flatMap((os) =>
        ['amd64', 'arm64'].map((architecture): CatalogEntry => {
          const memoryGib = cpu * memoryGibPerCpu
          const price = 0.025 * cpu + (0.001 * memoryGib * 2 ** 30) / 1e9
          return {
            name: `${letter}-${cpu}x-${architecture}-${os}`,
            architecture,
            operatingSystems: [os],
            resources: {
              cpu: String(cpu),
              memory: `${memoryGib}Gi`,
              pods: String(Math.min(16 * cpu, 1024)),
              'ephemeral-storage': '20Gi',
            },
            offerings: zones.flatMap((zone) => [
              { ...offering(zone, capacityTypes.spot, 0), Price: price * 0.7 },
              { ...offering(zone, capacityTypes.onDemand, 0), Price: price },
            ]),
          }
        }),
      ),
    ),
  )
