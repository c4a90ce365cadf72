import { describe, expect, test } from '@jest/globals'

import { ingestNodeClaim, stateNodeOf } from '../ingest/index.ts'
import type { InstanceType } from '../instance/index.ts'
import { Resources } from '../quantity/index.ts'
import { Requirement, Requirements } from '../requirements/index.ts'
import { nodeClaimObject } from '../testing/index.ts'
import { clusterCost } from './index.ts'

const offering = (zone: string, capacityType: string, pricePerHour?: number) => ({
  requirements: Requirements.of([
    Requirement.isIn('topology.kubernetes.io/zone', [zone]),
    Requirement.isIn('karpenter.sh/capacity-type', [capacityType]),
  ]),
  ...(pricePerHour === undefined ? {} : { pricePerHour }),
})

const type: InstanceType = {
  name: 'm',
  requirements: Requirements.empty,
  capacity: Resources.empty,
  overhead: { kubeReserved: Resources.empty, systemReserved: Resources.empty, evictionThreshold: Resources.empty },
  offerings: [offering('a', 'on-demand', 2), offering('a', 'spot', 0.5), offering('b', 'on-demand')],
}

const machine = (name: string, pool: string, labels: Record<string, string>) => {
  const claim = ingestNodeClaim(
    nodeClaimObject(name, pool, { metadata: { labels }, status: { providerID: `test://${name}` } }),
  )
  return stateNodeOf({ providerId: `test://${name}`, claim, pods: [], isMarked: false })
}
const kind = (zone: string, capacityType: string, instanceType = 'm') => ({
  'topology.kubernetes.io/zone': zone,
  'karpenter.sh/capacity-type': capacityType,
  'node.kubernetes.io/instance-type': instanceType,
})

describe('clusterCost', () => {
  const types = new Map([['default', [type]]])

  test('ST-COST-01 P-AUX-01: counts machines by type, zone and capacity type, and adds up their prices', () => {
    const cost = clusterCost(
      [
        machine('1', 'default', kind('a', 'on-demand')),
        machine('2', 'default', kind('a', 'on-demand')),
        machine('3', 'default', kind('a', 'spot')),
        machine('4', 'other', kind('a', 'spot')),
      ],
      types,
    )
    expect(cost.get('default')).toEqual({
      pricePerHour: 4.5,
      machines: [
        { instanceType: 'm', zone: 'a', capacityType: 'on-demand', count: 2, pricePerHour: 2 },
        { instanceType: 'm', zone: 'a', capacityType: 'spot', count: 1, pricePerHour: 0.5 },
      ],
    })
    expect(cost.get('other')).toMatchObject({ pricePerHour: 0 })
  })

  test('ST-COST-01 ST-COST-02 P-AUX-01: a machine counts once all four labels exist, and one of unknown price counts 0', () => {
    const cost = clusterCost(
      [
        machine('1', 'default', { 'node.kubernetes.io/instance-type': 'm' }),
        machine('2', 'default', kind('b', 'on-demand')),
        machine('3', 'default', kind('a', 'on-demand', 'unknown')),
      ],
      types,
    )
    const { pricePerHour, machines } = cost.get('default')!
    expect(pricePerHour).toBe(0)
    expect(machines.map(({ zone, pricePerHour: price }) => [zone, price])).toEqual([
      ['b', undefined],
      ['a', undefined],
    ])
  })

  test('ST-COST-01 P-AUX-01: a NodePool without machines has no entry', () => {
    expect(clusterCost([machine('1', 'default', {})], types).size).toBe(0)
  })
})
