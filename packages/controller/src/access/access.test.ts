import { describe, expect, test } from '@jest/globals'
import type { AnyProviderModule } from '../provider-loader/index.ts'
import { accessOf, type Grant } from './access.ts'

const { cluster, own, elsewhere, surge } = accessOf({ nodeClasses: [] } as unknown as AnyProviderModule)
const granted = (grants: ReadonlyArray<Grant>, ...verbs: ReadonlyArray<string>) =>
  grants.filter((grant) => grant.verbs.some((verb) => verbs.includes(verb))).map(({ resource }) => resource)

describe('what the controller may do', () => {
  test('O-21: reads what it plans with', () => {
    expect(granted(cluster, 'list', 'get')).toEqual(
      expect.arrayContaining([
        'pods',
        'nodes',
        'persistentvolumes',
        'persistentvolumeclaims',
        'replicationcontrollers',
        'namespaces',
        'podtemplates',
        'services',
        'storageclasses',
        'csinodes',
        'volumeattachments',
        'deployments',
        'replicasets',
        'statefulsets',
        'daemonsets',
        'poddisruptionbudgets',
      ]),
    )
  })

  test('O-21: writes claims, nodes, the status of NodePools, evictions, ends of pods and events', () => {
    expect(granted(cluster, 'create', 'patch', 'delete').sort()).toEqual([
      'capacitybuffers/status',
      'events',
      'nodeclaims',
      'nodeclaims/status',
      'nodeoverlays/status',
      'nodepools',
      'nodepools/status',
      'nodes',
      'pods',
      'pods/eviction',
    ])
  })

  test('O-21: holds one lease, by name, in its own namespace, and sees no Secret and no ConfigMap anywhere', () => {
    expect(granted(own, 'create')).toEqual(['leases'])
    expect(own.filter(({ verbs }) => verbs.includes('patch'))).toEqual([
      {
        group: 'coordination.k8s.io',
        resource: 'leases',
        names: ['karpenter-leader-election'],
        verbs: ['get', 'patch'],
      },
    ])
    expect(granted(cluster, 'create', 'get', 'list')).not.toContain('leases')
    const everything = [...cluster, ...own, ...Object.values(elsewhere).flat()].map(({ resource }) => resource)
    for (const resource of ['secrets', 'configmaps', '*']) expect(everything).not.toContain(resource)
  })

  test('O-21: patches Deployments only where NodePools may have surge', () => {
    expect(granted(surge, 'create', 'patch', 'delete')).toEqual(['deployments'])
    expect(granted(cluster, 'create', 'patch', 'delete')).not.toContain('deployments')
  })
})
