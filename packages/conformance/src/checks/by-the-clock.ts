import type { Delivery, InterruptionSource } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { check } from '../check.ts'
import { expectEqual, expectTrue, fail, promptly, rightOf } from '../expectation.ts'
import { claimOf, type Session } from '../session.ts'

const pollMs = 30_000
// Longer than any queue hides a message that was received and not acknowledged.
const hiddenMs = 15 * 60_000

const sourceOf = ({ live }: Session): InterruptionSource =>
  live.interruptions ?? fail('This check needs "interruptions"')

const receive = async (session: Session): Promise<ReadonlyArray<Delivery>> => {
  const waiting = sourceOf(session).receive(session.call())()
  waiting.catch(() => undefined)
  await session.subject.pass(pollMs)
  return rightOf(await promptly(waiting, 'receive(), after thirty seconds,'), 'receive()')
}

/** Deliveries of several polls: a queue of many parts may answer one without what it holds. */
const receiveSome = async (session: Session): Promise<ReadonlyArray<Delivery>> => {
  for (let round = 0; round < 3; round++) {
    const received = await receive(session)
    if (received.length > 0) return received
  }
  return []
}

const interrupted = async (session: Session) => {
  const { providerId, aliases = [] } = await session.launch('t-1')
  await session.list()
  await session.lever('interrupt')(providerId)
  return { ids: [providerId, ...aliases], deliveries: await receiveSome(session) }
}

/** What `converge`, `interruptions` and `tasks` promise, which the shell calls again and again. */
export const clockChecks = [
  check('converge/ends', 'comes to Converged for a claim that was just launched', ['converge'], async (session) => {
    const instance = await session.launch('t-1')
    expectEqual(
      (await session.converged({ ...instance, owner: { ...instance.owner, nodeClaim: 'claim-t-1' } }))?._tag,
      'Converged',
      'The answer',
    )
  }),
  check(
    'converge/repeated',
    'makes no call to the cloud when the annotations say that it is done',
    ['converge', 'countCalls'],
    async (session) => {
      const instance = await session.launch('t-1')
      const named = { ...instance, owner: { ...instance.owner, nodeClaim: 'claim-t-1' } }
      const answer = await session.converged(named)
      if (answer?._tag !== 'Converged') return expectEqual(answer?._tag, 'Converged', 'The answer')
      const annotations = { ...instance.annotations, ...answer.annotations }
      const before = session.lever('countCalls')()
      const again = session.live.converge?.(await session.managed(named, { annotations }), session.call())
      const second = rightOf(await session.ask(again ?? (async () => E.right(answer))), 'converge(), again')
      expectEqual(second._tag, 'Converged', 'The second answer')
      expectEqual(session.lever('countCalls')() - before, 0, 'Calls to the cloud')
    },
  ),
  check(
    'converge/throttled',
    'does not take being throttled for a failed launch',
    ['converge', 'throttled'],
    async (session) => {
      const instance = await session.launch('t-1')
      await session.lever('fail')('converge', 'throttled')
      const named = { ...instance, owner: { ...instance.owner, nodeClaim: 'claim-t-1' } }
      const { converge } = session.live
      const answer = await session.ask(
        converge?.(await session.managed(named), session.call()) ?? (async () => E.right(undefined)),
      )
      expectTrue(E.isLeft(answer) || answer.right?._tag !== 'Failed', 'It says that the launch failed')
      expectEqual((await session.converged(named))?._tag, 'Converged', 'The answer once the cloud is well')
    },
  ),
  check('converge/texts', 'adds labels and annotations that are texts', ['converge'], async (session) => {
    const instance = await session.launch('t-1')
    const answer = await session.converged({ ...instance, owner: { ...instance.owner, nodeClaim: 'claim-t-1' } })
    if (answer?._tag !== 'Converged') return
    for (const value of [...Object.values(answer.labels ?? {}), ...Object.values(answer.annotations ?? {})])
      expectEqual(typeof value, 'string', 'The kind of a value')
  }),
  check(
    'interruptions/delivered',
    'delivers what happens to an instance, by an id that it was seen with',
    ['interruptions', 'interrupt'],
    async (session) => {
      const { ids, deliveries } = await interrupted(session)
      const found = deliveries.flatMap(({ interruptions }) => interruptions)
      expectEqual(found.length, 1, 'Interruptions')
      const [interruption] = found
      expectTrue(
        ids.includes(interruption?.id ?? ''),
        `The interruption is of ${interruption?.id}, the instance is ${ids.join(' or ')}`,
      )
      expectTrue(interruption?.action !== 'notify', 'The end of a machine is only a notice')
      expectTrue(interruption?.kind !== '', 'The interruption has no kind')
    },
  ),
  check(
    'interruptions/again',
    'delivers again what was not acknowledged',
    ['interruptions', 'interrupt'],
    async (session) => {
      const { deliveries } = await interrupted(session)
      await session.subject.pass(hiddenMs)
      const again = await receiveSome(session)
      expectEqual(again.length, deliveries.length, 'Deliveries, asked again')
      expectTrue(again.length > 0, 'Nothing was delivered')
    },
  ),
  check(
    'interruptions/acknowledged',
    'delivers nothing again that was acknowledged',
    ['interruptions', 'interrupt'],
    async (session) => {
      const { deliveries } = await interrupted(session)
      expectTrue(deliveries.length > 0, 'Nothing was delivered')
      const receipts = deliveries.map(({ receipt }) => receipt)
      rightOf(await session.ask(sourceOf(session).acknowledge(receipts, session.call())), 'acknowledge()')
      await session.subject.pass(hiddenMs)
      expectEqual(await receive(session), [], 'Deliveries after the acknowledgement')
    },
  ),
  check(
    'interruptions/none',
    'answers within thirty seconds when there is nothing',
    ['interruptions'],
    async (session) => {
      expectEqual(await receive(session), [], 'Deliveries')
    },
  ),
  check('interruptions/aborted', 'ends its waiting when the call is given up', ['interruptions'], async (session) => {
    const given = new AbortController()
    const running = sourceOf(session).receive(session.call(given.signal))()
    given.abort()
    await promptly(running, 'receive()')
  }),
  check('interruptions/throttled', 'says that it was throttled', ['interruptions', 'throttled'], async (session) => {
    await session.lever('fail')('receive', 'throttled')
    const waiting = sourceOf(session).receive(session.call())()
    await session.subject.pass(pollMs)
    const answer = await promptly(waiting, 'receive()')
    expectTrue(E.isLeft(answer) && answer.left._tag === 'Throttled', 'It does not')
  }),
  check(
    'interruptions/garbage',
    'is not held up by what it cannot read: drops it, or delivers it as nothing to be acknowledged',
    ['interruptions', 'sendGarbage', 'interrupt'],
    async (session) => {
      await session.lever('sendGarbage')()
      const { providerId } = await session.launch('t-1')
      await session.list()
      await session.lever('interrupt')(providerId)
      const seen: Array<Delivery> = []
      for (let round = 0; round < 4; round++) {
        const received = await receive(session)
        seen.push(...received)
        const receipts = received.map(({ receipt }) => receipt)
        rightOf(await session.ask(sourceOf(session).acknowledge(receipts, session.call())), 'acknowledge()')
      }
      expectEqual(
        seen.filter(({ interruptions }) => interruptions.length > 0).length,
        1,
        'Deliveries that interrupt something',
      )
      expectTrue(seen.length <= 2, 'What it cannot read comes again although it was acknowledged')
    },
  ),
  check(
    'interruptions/acknowledged-twice',
    'takes an acknowledgement twice',
    ['interruptions', 'interrupt'],
    async (session) => {
      const { deliveries } = await interrupted(session)
      const receipts = deliveries.map(({ receipt }) => receipt)
      rightOf(await session.ask(sourceOf(session).acknowledge(receipts, session.call())), 'acknowledge()')
      rightOf(await session.ask(sourceOf(session).acknowledge(receipts, session.call())), 'acknowledge(), again')
    },
  ),
  check('tasks/named', 'has tasks with names and periods', ['tasks'], async ({ live }) => {
    const tasks = live.tasks ?? []
    expectEqual(new Set(tasks.map(({ name }) => name)).size, tasks.length, 'Distinct names')
    for (const { name, everyMs } of tasks)
      expectTrue(name !== '' && Number.isFinite(everyMs) && everyMs > 0, `Task ${name} runs every ${everyMs} ms`)
  }),
  check('tasks/machines', 'ends no machine that a claim stands for', ['tasks', 'present'], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.subject.pass(3_600_000)
    const claim = claimOf('t-1', session.nodeClass.metadata.name, { providerId, registered: true })
    await session.runTasks({ nodeClasses: [session.nodeClass], claims: [claim] })
    await session.runTasks({ nodeClasses: [session.nodeClass], claims: [claim] })
    expectTrue((await session.lever('present')()).includes(providerId), 'The machine is gone')
  }),
  check(
    'tasks/foreign',
    'touches nothing of another cluster',
    ['tasks', 'startForeign', 'present'],
    async (session) => {
      const foreign = await session.lever('startForeign')()
      await session.subject.pass(3_600_000)
      await session.runTasks({ nodeClasses: [session.nodeClass], claims: [] })
      await session.subject.pass(600_000)
      expectTrue((await session.lever('present')()).includes(foreign), 'The machine of another cluster is gone')
    },
  ),
  check(
    'tasks/standby',
    'ends no machine by the tasks of a standby, whose view is empty',
    ['tasks', 'present'],
    async (session) => {
      const { providerId } = await session.launch('t-1')
      await session.subject.pass(3_600_000)
      for (const { name, run, runsOn } of session.live.tasks ?? [])
        if (runsOn === 'every-replica')
          rightOf(await session.ask(run({ nodeClasses: [], claims: [] }, session.call())), `Task ${name}`)
      expectTrue((await session.lever('present')()).includes(providerId), 'The machine is gone')
    },
  ),
  check('tasks/throttled', 'keeps its types when a task is throttled', ['tasks', 'throttled'], async (session) => {
    const before = await session.types()
    await session.lever('fail')('tasks', 'throttled')
    for (const { run } of session.live.tasks ?? [])
      await session.ask(run({ nodeClasses: [session.nodeClass], claims: [] }, session.call()))
    expectEqual(
      (await session.types()).map(({ name }) => name),
      before.map(({ name }) => name),
      'Names of types',
    )
  }),
]
