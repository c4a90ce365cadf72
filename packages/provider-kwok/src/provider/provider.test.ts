import { describe, expect, test } from '@jest/globals'
import {
  type ClusterView,
  coreLabelKnowledge,
  decoderOf,
  type InstanceType,
  Labels,
  type NodeClaimFacts,
  Offerings,
} from '@scantling/core'
import { virtualClock } from '@scantling/provider-kit'
import * as E from 'fp-ts/lib/Either.js'
import { catalogNames, catalogTypes, labelPolicyOf, readCatalog } from '../catalog/index.ts'
import { inProcessCloud } from '../cloud/index.ts'
import { cloudOn, hostOn, never, nodeClass, smallCatalog } from '../../test/subject.ts'
import { launch } from './launch.ts'
import { kwokNodeClass, type KwokNodeClass } from './node-class.ts'
import { createFrom, provider } from './provider.ts'
import { kwokSettings } from './settings.ts'

const call = { signal: never, cluster: { name: 'test', kubernetesVersion: '1.36.3', objects: {} } }
const nothing: ClusterView<KwokNodeClass> = { nodeClasses: [], claims: [] }
const claimOf = (uid: string): NodeClaimFacts => ({
  name: `claim-${uid}`,
  uid,
  generation: 1,
  nodePool: 'default',
  nodeClass: 'default',
  labels: {},
  annotations: {},
  requirements: { byKey: new Map() },
  requests: {},
  taints: [],
  startupTaints: [],
  registered: false,
  deleting: false,
})
const make = async () => {
  const clock = virtualClock(1_000_000)
  const cloud = cloudOn(clock)
  const created = await createFrom(inProcessCloud(cloud, clock), hostOn(clock), never)
  if (E.isLeft(created)) throw new Error(created.left.message)
  const run = async (task: string, view = nothing) =>
    created.right.tasks?.find(({ name }) => name === task)?.run(view, call)()
  const types = async () => {
    const result = await created.right.instanceTypes(nodeClass, call)()
    if (E.isLeft(result)) throw new Error(result.left.message)
    return result.right
  }
  return { clock, cloud, live: created.right, run, types }
}

describe('provider-kwok', () => {
  test('refreshes prices, and keeps the types that stayed the same', async () => {
    const { cloud, run, types } = await make()
    const before = await types()
    expect(await run('catalog')).toEqual(E.right({}))
    expect(await types()).toBe(before)
    cloud.changePrices([{ instanceType: 'c-4x', pricePerHour: 7 }])
    expect(await types()).toBe(before)
    await run('catalog')
    const after = await types()
    expect(after[0]).toBe(before[0])
    expect(after[1]).not.toBe(before[1])
    expect(after[1] && Offerings.offeringIn(after[1], { zone: 'zone-a', capacityType: 'spot' })?.pricePerHour).toBe(7)
  })

  test('launch() keeps a claim whose candidates it has not all tried, and refuses a delay that is none', async () => {
    const clock = virtualClock(1_000_000)
    const catalog = Array.from({ length: 30 }, (_, index) => ({ ...smallCatalog[0]!, name: `t-${index}` }))
    const cloud = cloudOn(clock, { catalog })
    const read = readCatalog(catalog)
    if (E.isLeft(read)) throw new Error(read.left.join())
    const [first, ...rest] = read.right
    if (first === undefined) throw new Error('Expected a type')
    cloud.setCapacity([{ remaining: 0 }])
    const tryWith = (candidates: readonly [InstanceType, ...Array<InstanceType>], nodeRegistrationDelay = '0s') =>
      launch(
        inProcessCloud(cloud, clock),
        {
          token: 't',
          candidates,
          minValues: 'strict',
          nodeClass: { ...nodeClass, spec: { nodeRegistrationDelay } },
          claim: claimOf('t'),
        },
        call,
      )()
    const many = await tryWith([first, ...rest])
    expect(many).toMatchObject({ left: { error: { _tag: 'InsufficientCapacity' }, keepClaim: true } })
    expect(E.isLeft(many) && many.left.unavailable).toHaveLength(25)
    const few = await tryWith([first])
    expect(E.isLeft(few) && few.left.keepClaim).toBeUndefined()
    expect(await tryWith([first], 'soon')).toMatchObject({
      left: { reason: 'InvalidNodeClass', error: { _tag: 'InvalidRequest', field: 'spec.nodeRegistrationDelay' } },
    })
  })

  test('launch() takes the cheapest way, and draws among ways of one price (K-06)', async () => {
    const clock = virtualClock(1_000_000)
    const cloud = cloudOn(clock)
    const read = readCatalog(smallCatalog)
    if (E.isLeft(read)) throw new Error(read.left.join())
    const [first, ...rest] = read.right
    if (first === undefined) throw new Error('Expected a type')
    const places = new Map<string, number>()
    for (let index = 0; index < 40; index++) {
      const token = `t-${index}`
      const request = { token, candidates: [first, ...rest] as const, minValues: 'strict', nodeClass } as const
      const launched = await launch(inProcessCloud(cloud, clock), { ...request, claim: claimOf(token) }, call)()
      if (E.isLeft(launched)) throw new Error(launched.left.error.message)
      const { instanceType, capacityType, zone } = launched.right.instance
      expect([instanceType, capacityType]).toEqual(['c-2x', 'spot'])
      places.set(zone, (places.get(zone) ?? 0) + 1)
    }
    expect([...places.keys()].sort()).toEqual(['zone-a', 'zone-b'])
    expect(Math.min(...places.values())).toBeGreaterThan(8)
  })

  test('keeps the types it has when the cloud fails', async () => {
    const { cloud, run, types } = await make()
    const before = await types()
    cloud.setFaults([{ operation: 'catalog', code: 'InternalError' }])
    expect(await run('catalog')).toMatchObject({ left: { _tag: 'Unknown', code: 'InternalError' } })
    expect(await types()).toBe(before)
  })

  test('a cloud in this process is rebuilt from the claims, and shows nothing before', async () => {
    const settings = { cloudUrl: '', catalog: 'kwok', seed: 'test', latency: 1 }
    const created = await provider.create(settings, hostOn(virtualClock(1_000_000)), call)()
    if (E.isLeft(created)) throw new Error(created.left.message)
    const live = created.right
    const task = live.tasks?.find(({ name }) => name === 'rebuild-instances')
    const rebuild = async (claims: ReadonlyArray<NodeClaimFacts>) => task?.run({ nodeClasses: [], claims }, call)()
    expect(await live.list(call)()).toMatchObject({ left: { _tag: 'Unknown', code: 'NotRebuilt' } })
    const claim: NodeClaimFacts = {
      ...claimOf('uid-1'),
      labels: {
        'node.kubernetes.io/instance-type': 'c-2x-amd64-linux',
        'topology.kubernetes.io/zone': 'test-zone-a',
        'karpenter.sh/capacity-type': 'spot',
      },
      providerId: 'kwok://ip-10-1-2-3',
      registered: true,
    }
    await rebuild([claim, { ...claim, uid: 'uid-2', providerId: 'aws://x' }])
    await rebuild([claim, { ...claim, uid: 'uid-3', providerId: 'kwok://ip-10-9-9-9' }])
    const list = await live.list(call)()
    expect(list).toMatchObject({
      right: {
        instances: [{ providerId: 'kwok://ip-10-1-2-3', phase: 'running', owner: { nodeClaim: 'claim-uid-1' } }],
      },
    })
    expect(list).toMatchObject({ right: { instances: { length: 1 } } })
    expect(task?.gatesReadiness).toBe(true)
  })

  test('knows every label of its catalogues before it runs, and closes its domain to others', () => {
    const known = new Set(provider.labels?.wellKnown.map(({ key }) => key))
    for (const name of catalogNames)
      for (const { key } of labelPolicyOf(catalogTypes(name)).wellKnown) expect([...known]).toContain(key)
    const knowledge = Labels.extend(coreLabelKnowledge, provider.labels ?? { wellKnown: [] })
    expect(Labels.isRestricted('karpenter.kwok.sh/instance-family', knowledge)).toBe(false)
    expect(Labels.isRestricted('karpenter.kwok.sh/other', knowledge)).toBe(true)
  })

  test('decodes KWOKNodeClass with and without a spec, and refuses a delay that is none (K-05)', () => {
    const decode = decoderOf(kwokNodeClass.versions[0].schema)
    const object = (spec?: object) => ({
      apiVersion: 'karpenter.kwok.sh/v1alpha1',
      kind: 'KWOKNodeClass',
      metadata: { name: 'default', uid: 'u', generation: 1 },
      ...(spec && { spec }),
    })
    expect(decode(object({ nodeRegistrationDelay: '30s' }))).toMatchObject({
      right: { spec: { nodeRegistrationDelay: '30s' } },
    })
    expect(decode(object())).toMatchObject({ right: { spec: {} } })
    expect(E.isLeft(decode(object({ nodeRegistrationDelay: 'soon' })))).toBe(true)
  })

  test('takes no cloud that is not on this machine', () => {
    const check = (cloudUrl: string) => kwokSettings.check?.({ cloudUrl, catalog: 'kwok', seed: '', latency: 1 })
    expect(check('http://127.0.0.1:8090')).toEqual([])
    expect(check('')).toEqual([])
    expect(check('http://example.com')).toEqual([
      'kwok-cloud-url: Invalid value: "http://example.com": expected an address of this machine such as http://127.0.0.1:8090',
    ])
  })

  test('repairs a node that was not Ready for ten minutes: a condition, its status and how long it is borne (K-09, P-CPI-05)', () => {
    expect(provider.traits?.repair).toEqual([
      { conditionType: 'Ready', status: 'False', tolerationMs: 600_000 },
      { conditionType: 'Ready', status: 'Unknown', tolerationMs: 600_000 },
    ])
  })

  test('P-CPI-01: types, launch, get, list and terminate until it is gone; name and classes are told', async () => {
    const { clock, live, types } = await make()
    expect([provider.name, provider.nodeClasses.map(({ kind }) => kind)]).toEqual(['kwok', ['KWOKNodeClass']])
    const [first, ...rest] = await types()
    if (first === undefined) throw new Error('Expected a type')
    const candidates = [first, ...rest] as const
    const claim = claimOf('t')
    const launched = await live.launch({ token: 't', candidates, minValues: 'strict', nodeClass, claim }, call)()
    if (E.isLeft(launched)) throw new Error(launched.left.error.message)
    const { instance } = launched.right
    expect(instance).toMatchObject({
      providerId: expect.stringMatching(/^kwok:\/\//),
      instanceType: first.name,
      zone: expect.stringMatching(/^zone-[ab]$/),
      capacityType: 'spot',
      owner: { nodeClaim: 'claim-t' },
    })
    expect(await live.get?.(instance, call)()).toMatchObject({ right: { providerId: instance.providerId } })
    expect(await live.list(call)()).toMatchObject({ right: { instances: [{ providerId: instance.providerId }] } })
    // Begun, asked again, and in the end nothing is left.
    expect(await live.terminate(instance, call)()).toEqual(E.right('Started'))
    expect(await live.terminate(instance, call)()).toEqual(E.right('Started'))
    await clock.advance(600_000)
    expect(await live.terminate(instance, call)()).toEqual(E.right('Gone'))
    expect(await live.get?.(instance, call)()).toMatchObject({ left: { _tag: 'InstanceNotFound' } })
    expect(await live.list(call)()).toMatchObject({ right: { instances: [] } })
  })

  test('P-CPI-02: every type is told of while nothing of it can be bought', async () => {
    const { cloud, live, run, types } = await make()
    const before = await types()
    cloud.setCapacity([{ remaining: 0 }])
    await run('catalog')
    expect((await types()).map(({ name }) => name)).toEqual(before.map(({ name }) => name))
    const [first, ...rest] = await types()
    if (first === undefined) throw new Error('Expected a type')
    const request = { token: 't', candidates: [first, ...rest] as const, minValues: 'strict', nodeClass } as const
    expect(await live.launch({ ...request, claim: claimOf('t') }, call)()).toMatchObject({
      left: { error: { _tag: 'InsufficientCapacity' } },
    })
  })
})

describe('kwok-latency', () => {
  test.each(['', '-0.1', '1.1', 'fast'])('refuses %p', (text) => {
    expect(E.isLeft(kwokSettings.fields.latency.codec.decode(text))).toBe(true)
  })

  test('takes a share of what a large cloud would need', () => {
    expect(kwokSettings.fields.latency.codec.decode('0.1')).toEqual(E.right(0.1))
  })
})
