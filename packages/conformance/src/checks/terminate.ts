import { check } from '../check.ts'
import { expectEqual, expectTrue, leftOf, promptly, rightOf } from '../expectation.ts'
import { claimOf } from '../session.ts'
import { twin } from './list.ts'

/** What `terminate` promises. */
export const terminateChecks = [
  check(
    'terminate/gone',
    'comes to Gone, and then neither list nor cloud has the instance',
    ['present'],
    async (session) => {
      const { providerId } = await session.launch('t-1')
      await session.terminateFully(providerId)
      expectEqual(await session.listedIds(), [], 'The list')
      expectTrue(!(await session.lever('present')()).includes(providerId), 'The machine goes on')
    },
  ),
  check('terminate/begins', 'begins at once, and says Started while it lasts', ['present'], async (session) => {
    const { providerId } = await session.launch('t-1')
    if ((await session.terminate(providerId)) === 'Gone')
      expectTrue(!(await session.lever('present')()).includes(providerId), 'It says Gone while the machine is there')
  }),
  check('terminate/gone-again', 'says Gone as often as it is asked', [], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.terminateFully(providerId)
    expectEqual(await session.terminate(providerId), 'Gone', 'The answer after Gone')
  }),
  check('terminate/never-was', 'says Gone of what never was', [], async (session) => {
    const { providerId } = await session.launch('t-1')
    expectEqual(await session.terminate(twin(providerId)), 'Gone', 'The answer')
    expectEqual(await session.listedIds(), [providerId], 'The list')
  }),
  check('terminate/raced', 'takes five calls at once for one', [], async (session) => {
    const { providerId } = await session.launch('t-1')
    await Promise.all(Array.from({ length: 5 }, () => session.terminate(providerId)))
    await session.terminateFully(providerId)
  }),
  check('terminate/one', 'ends the one instance and no other', [], async (session) => {
    const [gone, ...others] = await Promise.all(Array.from({ length: 4 }, (_, index) => session.launch(`t-${index}`)))
    await session.terminateFully(gone?.providerId ?? '')
    expectEqual(
      (await session.listedIds()).toSorted(),
      others.map(({ providerId }) => providerId).toSorted(),
      'The list',
    )
  }),
  check('terminate/many', 'ends many at once', [], async (session) => {
    const all = await Promise.all(Array.from({ length: 8 }, (_, index) => session.launch(`t-${index}`)))
    await Promise.all(all.map(({ providerId }) => session.terminate(providerId)))
    for (const { providerId } of all) await session.terminateFully(providerId)
    expectEqual(await session.listedIds(), [], 'The list')
  }),
  check('terminate/with-claim', 'ends the instance of a claim as it ends an orphan', [], async (session) => {
    const { providerId } = await session.launch('t-1')
    const claim = claimOf('t-1', session.nodeClass.metadata.name, { providerId, deleting: true })
    rightOf(await session.ask(session.live.terminate({ providerId, claim }, session.call())), 'terminate()')
    await session.terminateFully(providerId)
  }),
  check(
    'terminate/throttled',
    'says that it was throttled, and ends the instance later',
    ['throttled'],
    async (session) => {
      const { providerId } = await session.launch('t-1')
      await session.lever('fail')('terminate', 'throttled')
      const failure = leftOf(await session.ask(session.live.terminate({ providerId }, session.call())), 'terminate()')
      expectEqual(failure._tag, 'Throttled', 'The failure')
      await session.terminateFully(providerId)
    },
  ),
  check('terminate/unauthorized', 'says that it may not, and never Gone', ['unauthorized'], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.lever('fail')('terminate', 'unauthorized')
    const failure = leftOf(await session.ask(session.live.terminate({ providerId }, session.call())), 'terminate()')
    expectEqual(failure._tag, 'Unauthorized', 'The failure')
  }),
  check('terminate/answer-lost', 'goes on with an end that nobody heard of', ['answer-lost'], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.lever('fail')('terminate', 'answer-lost')
    await session.ask(session.live.terminate({ providerId }, session.call()))
    await session.terminateFully(providerId)
  }),
  check(
    'terminate/foreign',
    'leaves a machine of another cluster alone',
    ['startForeign', 'present'],
    async (session) => {
      const foreign = await session.lever('startForeign')()
      await session.ask(session.live.terminate({ providerId: foreign }, session.call()))
      await session.subject.pass(600_000)
      expectTrue((await session.lever('present')()).includes(foreign), 'It ended the machine of another cluster')
    },
  ),
  check('terminate/foreign-id', "does not stumble over another cloud's id", [], async (session) => {
    await session.ask(session.live.terminate({ providerId: 'elsewhere:///zone/x-1' }, session.call()))
    await session.ask(session.live.terminate({ providerId: '' }, session.call()))
  }),
  check(
    'terminate/just-launched',
    'does not say Gone of what was launched a moment ago and still runs',
    ['hideNew', 'present'],
    async (session) => {
      await session.lever('hideNew')()
      const { providerId } = await session.launch('t-1')
      await session.terminateFully(providerId)
      expectTrue(!(await session.lever('present')()).includes(providerId), 'It says Gone, and the machine runs')
    },
  ),
  check(
    'terminate/restarted',
    'ends after a restart what was launched before',
    ['restart', 'present'],
    async (session) => {
      const { providerId } = await session.launch('t-1')
      const live = await session.restarted()
      for (let round = 0; round < 60; round++) {
        const answer = rightOf(
          await session.ask(live.terminate({ providerId }, session.call())),
          'terminate() after a restart',
        )
        if (answer === 'Gone') break
        await session.subject.pass(10_000)
      }
      expectTrue(!(await session.lever('present')()).includes(providerId), 'The machine goes on')
    },
  ),
  check('terminate/ended-outside', 'says Gone in the end of what ended elsewhere', ['endOutside'], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.lever('endOutside')(providerId)
    await session.terminateFully(providerId)
  }),
  check('terminate/aborted', 'ends its waiting when the call is given up', [], async (session) => {
    const { providerId } = await session.launch('t-1')
    const given = new AbortController()
    const running = session.live.terminate({ providerId }, session.call(given.signal))()
    given.abort()
    await promptly(running, 'terminate()')
    await session.terminateFully(providerId)
  }),
]
