import { labelKeys, Offerings, Requirements, type InstanceType } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { check } from '../check.ts'
import { expectEqual, expectTrue, fail, notJsonAt, rightOf, show } from '../expectation.ts'
import { claimOf, lowestPrice, onSale } from '../session.ts'

const many = 25

const two = async (
  types: () => Promise<ReadonlyArray<InstanceType>>,
): Promise<readonly [InstanceType, InstanceType]> => {
  const [first, second] = onSale(await types())
  return first !== undefined && second !== undefined ? [first, second] : fail('This check needs two types on sale')
}

/** What `launch` promises when the cloud has room. */
export const launchChecks = [
  check('launch/candidate', 'starts one of the candidates, by one of its offerings', [], async (session) => {
    const { candidates } = await session.request('t-1')
    const instance = await session.launch('t-1')
    const type = candidates.find(({ name }) => name === instance.instanceType)
    if (type === undefined) return fail(`It launched ${instance.instanceType}, which is no candidate`)
    expectTrue(
      Offerings.offeringIn(type, instance) !== undefined,
      `${type.name} has no offering of ${instance.capacityType} in ${instance.zone}`,
    )
  }),
  check('launch/offering', 'starts what the one offering that is left says', [], async (session) => {
    // The dearest of the last type: nothing that a provider would choose by itself.
    const type = onSale(await session.types()).at(-1)
    const offering = type?.offerings.toSorted((a, b) => (b.pricePerHour ?? 0) - (a.pricePerHour ?? 0))[0]
    if (type === undefined || offering === undefined) return fail('There is no type on sale')
    const { instanceType, zone, capacityType } = await session.launch('t-1', {
      candidates: [{ ...type, offerings: [offering] }],
    })
    expectEqual(
      { instanceType, zone, capacityType },
      { instanceType: type.name, zone: Offerings.zoneOf(offering), capacityType: Offerings.capacityTypeOf(offering) },
      'What was launched',
    )
  }),
  check('launch/cheapest', 'starts the cheapest candidate', [], async (session) => {
    const types = onSale(await session.types())
    const { instanceType } = await session.launch('t-1')
    const own = types.find(({ name }) => name === instanceType)
    expectEqual(own && lowestPrice(own), types[0] && lowestPrice(types[0]), 'The price of what was launched')
  }),
  check('launch/provider-id', 'names the instance as its Node will', [], async (session) => {
    const { providerId } = await session.launch('t-1')
    expectTrue(/^[a-z][a-z0-9-]*:\/\/.+/.test(providerId), `The provider id is ${JSON.stringify(providerId)}`)
    const name = providerId.split('/').at(-1) ?? ''
    if (session.subject.module.traits?.kubelet === 'simulated')
      expectTrue(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name), `No Node can have the name ${JSON.stringify(name)}`)
  }),
  check('launch/json', 'tells nothing but JSON of the instance', [], async (session) => {
    const odd = notJsonAt(await session.launch('t-1'), 'instance')
    expectTrue(odd === undefined, `${odd}`)
  }),
  check('launch/time', 'knows when the instance was launched', [], async (session) => {
    const { nowMs } = session.subject.host.clock
    const before = nowMs()
    const { launchedAtMs } = await session.launch('t-1')
    expectTrue(
      launchedAtMs === undefined || (launchedAtMs >= before - 120_000 && launchedAtMs <= nowMs() + 120_000),
      `It was launched at ${launchedAtMs}, between ${before} and ${nowMs()}`,
    )
  }),
  check('launch/untouched', 'leaves the request as it is', [], async (session) => {
    const request = await session.request('t-1')
    const before = show(structuredClone(request))
    rightOf(await session.ask(session.live.launch(request, session.call())), 'launch()')
    expectEqual(show(request), before, 'The request')
  }),
  check('launch/owner', 'marks the instance with its NodePool, NodeClass and NodeClaim', [], async (session) => {
    const instance = await session.launch('t-1')
    await session.converged({ ...instance, owner: { ...instance.owner, nodeClaim: 'claim-t-1' } })
    const [listed] = (await session.list()).instances
    expectEqual(
      listed?.owner,
      { nodePool: 'default', nodeClass: session.nodeClass.metadata.name, nodeClaim: 'claim-t-1' },
      'The owner',
    )
  }),
  check('launch/standalone', 'marks the instance of a claim without a NodePool with none', [], async (session) => {
    const { nodePool: _pool, ...standalone } = claimOf('t-1', session.nodeClass.metadata.name)
    await session.launch('t-1', { claim: standalone })
    const [listed] = (await session.list()).instances
    expectTrue(
      listed !== undefined && listed.owner.nodePool === undefined,
      `The instance belongs to NodePool ${listed?.owner.nodePool}`,
    )
  }),
  check('launch/listed', 'starts what list shows', [], async (session) => {
    const { providerId, instanceType, zone, capacityType } = await session.launch('t-1')
    const [listed, ...others] = (await session.list()).instances
    expectEqual(others, [], 'Others in the list')
    expectEqual(
      {
        providerId: listed?.providerId,
        instanceType: listed?.instanceType,
        zone: listed?.zone,
        capacityType: listed?.capacityType,
      },
      { providerId, instanceType, zone, capacityType },
      'The instance in the list',
    )
  }),
  check('launch/retried', 'gives one token one instance, asked twice', [], async (session) => {
    const first = await session.launch('t-1')
    expectEqual((await session.launch('t-1')).providerId, first.providerId, 'The instance of the second call')
    expectEqual(await session.listedIds(), [first.providerId], 'The list')
  }),
  check('launch/raced', 'gives one token one instance, asked eight times at once', [], async (session) => {
    const all = await Promise.all(Array.from({ length: 8 }, () => session.launch('t-1')))
    expectEqual(new Set(all.map(({ providerId }) => providerId)).size, 1, 'Distinct instances')
    expectEqual((await session.listedIds()).length, 1, 'Instances in the list')
  }),
  check(
    'launch/retried-otherwise',
    'gives one token one instance, asked for with other candidates',
    [],
    async (session) => {
      const [first, second] = await two(session.types)
      const { providerId } = await session.launch('t-1', { candidates: [first] })
      expectEqual(
        (await session.launch('t-1', { candidates: [second] })).providerId,
        providerId,
        'The instance of the second call',
      )
      expectEqual(await session.listedIds(), [providerId], 'The list')
    },
  ),
  check('launch/two-tokens', 'gives two tokens two instances', [], async (session) => {
    const [a, b] = await Promise.all([session.launch('t-1'), session.launch('t-2')])
    expectTrue(a.providerId !== b.providerId, 'Both tokens have the same instance')
    expectEqual((await session.listedIds()).toSorted(), [a.providerId, b.providerId].toSorted(), 'The list')
  }),
  check('launch/many', 'starts many at once, and lists them over all pages', [], async (session) => {
    const all = await Promise.all(Array.from({ length: many }, (_, index) => session.launch(`t-${index}`)))
    const wanted = all.map(({ providerId }) => providerId).toSorted()
    expectEqual(new Set(wanted).size, many, 'Distinct instances')
    expectEqual((await session.listedIds()).toSorted(), wanted, 'The list')
  }),
  check(
    'launch/answer-lost',
    'finds the instance again whose launch nobody heard of',
    ['answer-lost'],
    async (session) => {
      await session.lever('fail')('launch', 'answer-lost')
      const first = await session.tryLaunch('t-1')
      const { providerId } = E.isRight(first) ? first.right.instance : await session.launch('t-1')
      expectEqual(await session.listedIds(), [providerId], 'The list')
    },
  ),
  check('launch/restarted', 'gives a token the same instance after a restart', ['restart'], async (session) => {
    const { providerId } = await session.launch('t-1')
    const live = await session.restarted()
    const request = await session.request('t-1')
    const again = rightOf(await session.ask(live.launch(request, session.call())), 'launch() after a restart')
    expectEqual(again.instance.providerId, providerId, 'The instance after a restart')
  }),
  check(
    'launch/no-surplus',
    'starts nothing that list would not show, a restart in between',
    ['restart', 'present', 'answer-lost'],
    async (session) => {
      await session.lever('fail')('launch', 'answer-lost')
      await session.tryLaunch('t-1')
      const live = await session.restarted()
      await session.ask(live.launch(await session.request('t-1'), session.call()))
      const listed = await session.listedIds()
      const unseen = (await session.lever('present')()).filter((id) => !listed.includes(id))
      expectEqual(unseen, [], 'Machines that run and are not listed')
    },
  ),
  check('launch/after-end', 'never gives a token an instance that has ended', ['present'], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.terminateFully(providerId)
    const again = await session.tryLaunch('t-1')
    if (E.isLeft(again)) return
    expectTrue((await session.lever('present')()).includes(again.right.instance.providerId), 'The instance has ended')
  }),
  check('launch/best-effort', 'takes a request whose minimum of values is only a wish', [], async (session) => {
    const claim = claimOf('t-1', session.nodeClass.metadata.name, {
      requirements: Requirements.fromSpecs([{ key: labelKeys.instanceType, operator: 'Exists', minValues: 1000 }]),
    })
    await session.launch('t-1', { claim, minValues: 'best-effort' })
  }),
  check(
    'launch/awkward-labels',
    'takes labels and taints with names that JavaScript has uses for',
    [],
    async (session) => {
      const labels = JSON.parse('{"constructor":"a","__proto__":"b","toString":"c"}') as Record<string, string>
      const claim = claimOf('t-1', session.nodeClass.metadata.name, {
        labels,
        annotations: labels,
        taints: [{ key: 'constructor', value: 'a', effect: 'NoSchedule' }],
      })
      await session.launch('t-1', { claim })
      expectEqual((await session.listedIds()).length, 1, 'Instances in the list')
    },
  ),
]
