import { describe, expect, test } from '@jest/globals'
import {
  annotationKeys,
  ingestNodePool,
  Requirements,
  Resources,
  type JsonObject,
  type NodePoolObject,
} from '@scantling/core'
import { instanceType, nodePoolObject } from '@scantling/core/testing'
import { claimManifest, type ClaimLaunch } from './claim-manifest.ts'

const launch: ClaimLaunch = {
  nodePool: 'default',
  requirements: Requirements.fromSpecs([
    { key: 'example.com/tier', operator: 'In', values: ['gold'] },
    { key: 'node.kubernetes.io/instance-type', operator: 'Exists', minValues: 2 },
  ]),
  instanceTypes: [instanceType('small', 2), instanceType('large', 8)],
  requests: Resources.parse({ cpu: '1500m' }),
  taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }],
  startupTaints: [{ key: 'cni', effect: 'NoExecute' }],
  labels: { 'karpenter.sh/nodepool': 'default', 'example.com/team': 'a' },
  annotations: { [annotationKeys.nodePoolHash]: 'as planned', 'example.com/note': 'b' },
}
const pool = (spec: JsonObject = {}) =>
  ingestNodePool(nodePoolObject('default', { spec: { template: { spec } } }) as NodePoolObject, {
    supportsNodeClass: () => true,
    readiness: 'assumed',
  })

describe('claimManifest()', () => {
  test('P-NCA-05 L-CTRL-03: a claim has our finalizer from the start, and the labels, annotations, taints, requirements, class and periods of its template', () => {
    const { nodeClass, name, uid } = pool()
    expect(claimManifest(launch, pool({ terminationGracePeriod: '1h30m' }), '720h')).toEqual({
      metadata: {
        generateName: 'default-',
        finalizers: ['karpenter.sh/termination'],
        labels: launch.labels,
        annotations: { ...launch.annotations, [annotationKeys.nodePoolHashVersion]: 'scantling-1' },
        ownerReferences: [{ apiVersion: 'karpenter.sh/v1', kind: 'NodePool', name, uid, blockOwnerDeletion: true }],
      },
      spec: {
        nodeClassRef: { group: nodeClass.group, kind: nodeClass.kind, name: nodeClass.name },
        requirements: [
          { key: 'example.com/tier', operator: 'In', values: ['gold'] },
          { key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['large', 'small'], minValues: 2 },
        ],
        resources: { requests: { cpu: '1500m' } },
        taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }],
        startupTaints: [{ key: 'cni', effect: 'NoExecute' }],
        expireAfter: '720h',
        terminationGracePeriod: '1h30m0s',
      },
    })
    expect(claimManifest(launch, pool(), 'Never')['spec']).not.toHaveProperty('terminationGracePeriod')
  })

  test('P-PRV-11: the hash is that of the template that was planned with, whatever the pool is now', () => {
    const later = pool({ expireAfter: '1h' })
    expect(later.hash).not.toBe('as planned')
    expect(claimManifest(launch, later, '1h')['metadata']).toMatchObject({
      annotations: { [annotationKeys.nodePoolHash]: 'as planned' },
    })
  })
})
