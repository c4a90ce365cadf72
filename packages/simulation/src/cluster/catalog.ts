import type { CatalogEntry } from '@scantling/provider-kwok'

/** Types with 4 and 16 CPUs in two zones, the smaller dearer by the CPU. */
export const catalog: ReadonlyArray<CatalogEntry> = [
  { cpu: 4, price: 0.2 },
  { cpu: 16, price: 0.7 },
].map(({ cpu, price }) => ({
  name: `c-${cpu}x`,
  architecture: 'amd64',
  operatingSystems: ['linux'],
  resources: { cpu: String(cpu), memory: `${cpu * 4}Gi`, pods: '110' },
  offerings: ['zone-a', 'zone-b'].flatMap((zone) =>
    ['on-demand', 'spot'].map((capacityType) => ({
      Price: capacityType === 'spot' ? price / 2 : price,
      Available: true,
      Requirements: [
        { key: 'topology.kubernetes.io/zone', operator: 'In' as const, values: [zone] },
        { key: 'karpenter.sh/capacity-type', operator: 'In' as const, values: [capacityType] },
      ],
    })),
  ),
}))
