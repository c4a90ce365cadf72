import { describe, expect, test } from '@jest/globals'
import { azureSettingsOf, claimOf, nodeClass } from '../../test/builders.ts'
import { machineTagsOf, tagsOf } from './index.ts'

const input = (tags: Readonly<Record<string, string>> = {}, additionalTags: Readonly<Record<string, string>> = {}) => ({
  claim: claimOf(),
  nodeClass: nodeClass({ tags }),
  cluster: { name: 'cluster-1' },
  settings: azureSettingsOf({ additionalTags }),
})

describe('tags', () => {
  test('Z-TAG-01: cluster, billing and NodePool; of machines the claim as well', () => {
    const own = {
      'karpenter.azure.com_cluster': 'cluster-1',
      'compute.aks.billing': 'linux',
      'karpenter.sh_nodepool': 'general',
    }
    expect(tagsOf(input())).toEqual(own)
    expect(machineTagsOf(input())).toEqual({ ...own, 'karpenter.azure.com_aksmachine_nodeclaim': 'general-abcde' })
    const { nodePool: _, ...standalone } = claimOf()
    expect(tagsOf({ ...input(), claim: standalone })).not.toHaveProperty(['karpenter.sh_nodepool'])
  })

  test('Z-TAG-02: the class over the operator, ours over both, whatever way a key is written', () => {
    const tags = tagsOf(
      input(
        { team: 'class', 'a/b': 'class', 'karpenter.azure.com/cluster': 'theirs', 'compute.aks.billing': 'windows' },
        { team: 'operator', a_b: 'operator', cost: 'operator' },
      ),
    )
    expect(tags).toEqual({
      team: 'class',
      a_b: 'class',
      cost: 'operator',
      'karpenter.azure.com_cluster': 'cluster-1',
      'compute.aks.billing': 'linux',
      'karpenter.sh_nodepool': 'general',
    })
  })
})
