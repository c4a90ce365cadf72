import { describe, expect, test } from '@jest/globals'
import { Requirements, type CloudProvider, type InstanceType, type NodeClassObject } from '@scantling/core'
import { instanceType, nodeClaimObject, nodeObject } from '@scantling/core/testing'
import { virtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { makeObjectCache } from '../cache/index.ts'
import { makeKinds } from '../kube/index.ts'
import { makeInstanceTypeCell } from './instance-types.ts'
import { makeLearnedMemoryCell } from './learned-memory-cell.ts'

const nodeClass: NodeClassObject = {
  apiVersion: 'v1',
  kind: 'Class',
  metadata: { name: 'c', uid: 'c', generation: 1, annotations: {} },
}
const call = {
  signal: new AbortController().signal,
  cluster: { name: 'demo', kubernetesVersion: '1.34', objects: {} },
}

const setup = () => {
  const clock = virtualClock(0)
  const kinds = makeKinds()
  const onListenerError = (cause: unknown) => {
    throw cause
  }
  const nodes = makeObjectCache({
    kind: kinds.nodes,
    indexers: { byProviderId: (node) => node.spec.providerID },
    onListenerError,
  })
  const nodeClaims = makeObjectCache({
    kind: kinds.nodeClaims,
    indexers: {
      byProviderId: (claim) => claim.status.providerID,
      byNodePool: () => undefined,
      byNodeClass: () => undefined,
    },
    onListenerError,
  })
  const offered: ReadonlyArray<InstanceType> = [
    { ...instanceType('m5.large', 2), imageId: 'image-1' },
    { ...instanceType('c5.large', 2), imageId: 'image-1' },
  ]
  const provider = { instanceTypes: () => TE.right(offered) } as unknown as CloudProvider<NodeClassObject>
  const start = () => {
    const types = makeInstanceTypeCell({
      provider,
      clock,
      wellKnown: new Set(),
      nodeClassOf: () => nodeClass,
      learnedMemory: makeLearnedMemoryCell({ nodes: nodes.cache, nodeClaims: nodeClaims.cache }, clock),
    })
    const list = async () => {
      const found = await types.ofNodeClass(nodeClass, call)()
      return E.isRight(found) ? found.right : []
    }
    return { ...types, list, memories: async () => (await list()).map(({ capacity }) => capacity['memory']) }
  }
  let version = 1
  const join = (name: string, memory: string, imageID: string, registered: string) => {
    version += 1
    const metadata = { name, resourceVersion: String(version) }
    const labels = { 'node.kubernetes.io/instance-type': 'm5.large', 'karpenter.sh/registered': registered }
    nodes.sink.apply({
      _tag: 'Modified',
      object: nodeObject(name, {
        metadata: { ...metadata, labels },
        spec: { providerID: `id-${name}` },
        status: { capacity: { cpu: '2', memory, pods: '10' } },
      }),
    })
    nodeClaims.sink.apply({
      _tag: 'Modified',
      object: nodeClaimObject(name, 'p', { metadata, status: { providerID: `id-${name}`, imageID } }),
    })
  }
  return { clock, start, join }
}

describe('instance types as planners see them', () => {
  test('A-CAP-03, A-DSC-01: a registered Node teaches the memory of its type, and those alive teach it after a restart', async () => {
    const { clock, start, join } = setup()
    const types = start()
    expect(await types.memories()).toEqual(['8Gi', '8Gi'])
    join('n', '7Gi', 'image-1', 'false')
    await clock.advance(10_000)
    expect(await types.memories()).toEqual(['8Gi', '8Gi'])
    join('n', '7Gi', 'image-1', 'true')
    await clock.advance(10_000)
    const learned = await types.list()
    expect(learned.map(({ capacity }) => capacity['memory'])).toEqual(['7Gi', '8Gi'])
    // Planners compile by identity.
    await clock.advance(60_000)
    expect(await types.list()).toBe(learned)
    expect(await start().memories()).toEqual(['7Gi', '8Gi'])
  })

  test('A-DSC-02: a Node of another image than a launch would boot now teaches nothing of today', async () => {
    const { clock, start, join } = setup()
    join('n', '7Gi', 'image-0', 'true')
    const types = start()
    await clock.advance(10_000)
    expect(await types.memories()).toEqual(['8Gi', '8Gi'])
  })

  test('marks and learned memory are laid over one another', async () => {
    const { start, join } = setup()
    join('n', '7Gi', 'image-1', 'true')
    const types = start()
    types.learn({
      unavailable: [
        { match: Requirements.fromLabels({ 'topology.kubernetes.io/zone': 'a' }), forMs: 60_000, reason: 'sold out' },
      ],
    })
    const [type] = await types.list()
    expect(type?.capacity['memory']).toBe('7Gi')
    expect(type?.offerings.map(({ unavailable }) => unavailable?.reason)).toContain('sold out')
  })
})
