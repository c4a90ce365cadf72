import * as E from 'fp-ts/lib/Either.js'
import { check } from '../check.ts'
import { expectEqual, expectTrue, leftOf, notJsonAt, promptly, rightOf } from '../expectation.ts'
import type { Session } from '../session.ts'

const settledMs = 10 * 60_000

const launchMany = async (session: Session, count: number): Promise<ReadonlyArray<string>> =>
  Promise.all(Array.from({ length: count }, async (_, index) => (await session.launch(`t-${index}`)).providerId))

/** What `list` promises: all of ours, none of theirs, or nothing at all. */
export const listChecks = [
  check('list/empty', 'is empty at first', [], async (session) => {
    expectEqual(await session.list(), { instances: [], unreadable: [] }, 'The list')
  }),
  check('list/repeated', 'says the same twice', [], async (session) => {
    await launchMany(session, 7)
    const ids = async () => (await session.listedIds()).toSorted()
    expectEqual(await ids(), await ids(), 'The list, asked again')
  }),
  check('list/once', 'shows each instance once', [], async (session) => {
    await launchMany(session, 7)
    const listed = await session.listedIds()
    expectEqual(new Set(listed).size, listed.length, 'Distinct instances in the list')
    expectEqual(listed.length, 7, 'Instances in the list')
  }),
  check('list/runs', 'shows that an instance runs after a while', [], async (session) => {
    await session.launch('t-1')
    await session.subject.pass(settledMs)
    expectEqual((await session.list()).instances[0]?.phase, 'running', 'The phase')
  }),
  check('list/json', 'tells nothing but JSON', [], async (session) => {
    await session.launch('t-1')
    const odd = notJsonAt(await session.list(), 'list')
    expectTrue(odd === undefined, `${odd}`)
  }),
  check('list/other-cluster', 'shows no instance of a cluster of another name', [], async (session) => {
    await session.launch('t-1')
    const { live, call, ask } = session
    const { signal, cluster } = call()
    // One name begins with the other: a careless filter takes them for the same.
    for (const name of [`${cluster.name}-2`, cluster.name.slice(0, -1)])
      expectEqual(
        rightOf(await ask(live.list({ signal, cluster: { ...cluster, name } })), 'list()').instances,
        [],
        `The list of ${name}`,
      )
  }),
  check('list/foreign', 'shows no machine of another cluster', ['startForeign'], async (session) => {
    const foreign = await session.lever('startForeign')()
    const { providerId } = await session.launch('t-1')
    const { instances, unreadable } = await session.list()
    expectEqual(
      instances.map((each) => each.providerId),
      [providerId],
      `The list beside ${foreign}`,
    )
    expectEqual(unreadable, [], 'Unreadable instances')
  }),
  check('list/throttled', 'fails when it is throttled', ['throttled'], async (session) => {
    await session.launch('t-1')
    await session.lever('fail')('list', 'throttled')
    expectEqual(leftOf(await session.tryList(), 'list()')._tag, 'Throttled', 'The failure')
  }),
  check('list/unauthorized', 'fails when it may not', ['unauthorized'], async (session) => {
    await session.launch('t-1')
    await session.lever('fail')('list', 'unauthorized')
    expectEqual(leftOf(await session.tryList(), 'list()')._tag, 'Unauthorized', 'The failure')
  }),
  check('list/half', 'fails rather than leave out a page', ['throttled'], async (session) => {
    await launchMany(session, 7)
    await session.lever('fail')('list', 'throttled', { skip: 1 })
    leftOf(await session.tryList(), 'list() whose second page fails')
    expectEqual((await session.listedIds()).length, 7, 'Instances in the next list')
  }),
  check('list/unreadable', 'names what it cannot read, and shows the others', ['garble'], async (session) => {
    const [bad = '', ...good] = await launchMany(session, 4)
    await session.lever('garble')(bad)
    const { instances, unreadable } = await session.list()
    expectEqual(
      instances.map(({ providerId }) => providerId).toSorted(),
      [...good].toSorted(),
      'The instances that can be read',
    )
    expectEqual(unreadable.length, 1, 'Instances that cannot be read')
    expectTrue(unreadable[0]?.message !== '', 'An unreadable instance has no message')
  }),
  check('list/ended', 'shows no instance as running that ended elsewhere', ['endOutside'], async (session) => {
    const [gone = '', ...others] = await launchMany(session, 3)
    await session.lever('endOutside')(gone)
    expectEqual((await session.listedIds()).toSorted(), [...others].toSorted(), 'The list')
  }),
  check('list/terminating', 'shows an instance on its way out as such, or no more', [], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.terminate(providerId)
    const listed = rightOf(await session.tryList(), 'list()').instances.find((each) => each.providerId === providerId)
    expectTrue(listed === undefined || listed.phase === 'terminating', `Its phase is ${listed?.phase}`)
  }),
  check('list/restarted', 'shows after a restart what was launched before', ['restart'], async (session) => {
    const { providerId } = await session.launch('t-1')
    const before = (await session.list()).instances
    const live = await session.restarted()
    const { instances } = rightOf(await session.ask(live.list(session.call())), 'list() after a restart')
    expectEqual(
      instances.map((each) => [each.providerId, each.owner]),
      before.map((each) => [each.providerId, each.owner]),
      `The list after a restart, with ${providerId}`,
    )
  }),
  check('list/aborted', 'ends its waiting when the call is given up', [], async (session) => {
    const given = new AbortController()
    const running = session.live.list(session.call(given.signal))()
    given.abort()
    await promptly(running, 'list()')
  }),
  check(
    'list/counted',
    'asks the cloud once for a page, and not once for an instance',
    ['countCalls'],
    async (session) => {
      await launchMany(session, 12)
      await session.subject.pass(settledMs)
      const before = session.lever('countCalls')()
      await session.tryList()
      const calls = session.lever('countCalls')() - before
      expectTrue(calls < 12, `It made ${calls} calls for 12 instances`)
    },
  ),
]

/** What `get` promises: the truth about one instance, on which a decision hangs. */
export const getChecks = [
  check('get/listed', 'agrees with the list', ['get'], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.subject.pass(settledMs)
    const [listed] = (await session.list()).instances
    expectEqual(rightOf(await get(session, providerId), 'get()'), listed, 'What get says')
  }),
  check('get/absent', 'says InstanceNotFound of what never was', ['get'], async (session) => {
    const { providerId } = await session.launch('t-1')
    expectEqual(leftOf(await get(session, twin(providerId)), 'get()')._tag, 'InstanceNotFound', 'The failure')
  }),
  check('get/ended', 'says InstanceNotFound of what has ended', ['get'], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.terminateFully(providerId)
    expectEqual(leftOf(await get(session, providerId), 'get()')._tag, 'InstanceNotFound', 'The failure')
  }),
  check(
    'get/throttled',
    'says that it was throttled, and not that the instance is gone',
    ['get', 'throttled'],
    async (session) => {
      const { providerId } = await session.launch('t-1')
      await session.lever('fail')('get', 'throttled')
      expectEqual(leftOf(await get(session, providerId), 'get()')._tag, 'Throttled', 'The failure')
    },
  ),
  check(
    'get/server-error',
    'says that the cloud failed, and not that the instance is gone',
    ['get', 'server-error'],
    async (session) => {
      const { providerId } = await session.launch('t-1')
      await session.lever('fail')('get', 'server-error')
      expectEqual(leftOf(await get(session, providerId), 'get()')._tag, 'Unknown', 'The failure')
    },
  ),
  check('get/fresh', 'asks the cloud and no memory', ['get', 'endOutside'], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.subject.pass(settledMs)
    rightOf(await get(session, providerId), 'get()')
    await session.lever('endOutside')(providerId)
    const found = await get(session, providerId)
    expectTrue(
      E.isLeft(found) ? found.left._tag === 'InstanceNotFound' : found.right.phase === 'terminating',
      'It still says that the instance runs',
    )
  }),
  check(
    'get/just-launched',
    'does not say InstanceNotFound of what was launched a moment ago',
    ['get', 'hideNew'],
    async (session) => {
      await session.lever('hideNew')()
      const { providerId } = await session.launch('t-1')
      const found = await get(session, providerId)
      expectTrue(
        E.isRight(found) || found.left._tag !== 'InstanceNotFound',
        'It says InstanceNotFound of an instance that starts',
      )
    },
  ),
  check('get/foreign-id', "answers another cloud's id with a failure", ['get'], async (session) => {
    leftOf(await get(session, 'elsewhere:///zone/x-1'), 'get()')
  }),
]

const get = (session: Session, providerId: string) => {
  const member = session.live.get
  if (member === undefined) throw new Error('Checks of get need it')
  return session.ask(member({ providerId }, session.call()))
}

/** An id of the same form that no machine has. */
export const twin = (providerId: string): string =>
  providerId.slice(0, -3) + [...providerId.slice(-3)].map((digit) => (digit === '0' ? '1' : '0')).join('')
