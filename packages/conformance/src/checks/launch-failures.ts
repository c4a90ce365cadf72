import { OfferingMemories, type InstanceType, type LaunchFailure, type UnavailableMark } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { check } from '../check.ts'
import {
  expectEqual,
  expectReason,
  expectSentence,
  expectTrue,
  fail,
  leftOf,
  promptly,
  rightOf,
} from '../expectation.ts'
import { onSale, type Session } from '../session.ts'
import type { Fault } from '../subject.ts'

const failedWith = async (session: Session, fault: Fault): Promise<LaunchFailure> => {
  await session.lever('fail')('launch', fault)
  const failure = leftOf(await session.tryLaunch('t-1'), `launch() in a cloud that answers ${fault}`)
  expectReason(failure.reason, 'The reason of a failed launch')
  expectSentence(failure.error.message, 'The message of a failed launch')
  return failure
}

const mapped = (fault: Fault, tag: LaunchFailure['error']['_tag'], sentence: string) =>
  check(`launch/${fault}`, sentence, [fault], async (session) => {
    const { error } = await failedWith(session, fault)
    expectEqual(error._tag, tag, `The failure of a launch that the cloud answers with ${fault}`)
    // Once the cloud is well again, so is the claim; not before the provider wants to be asked again.
    await session.subject.pass(error.retryAfterMs ?? 0)
    const { providerId } = await session.launch('t-1')
    expectEqual(await session.listedIds(), [providerId], 'The list after the launch that went well')
  })

const soldOut = async (
  session: Session,
): Promise<{ readonly sold: InstanceType; readonly others: ReadonlyArray<InstanceType> }> => {
  const [sold, ...others] = onSale(await session.types())
  if (sold === undefined || others.length === 0) return fail('This check needs two types on sale')
  await session.lever('sellOut')(sold.name)
  return { sold, others }
}

const concerned = (mark: UnavailableMark, types: ReadonlyArray<InstanceType>): number =>
  types.flatMap((type) => type.offerings.filter((offering) => OfferingMemories.isMarked(type, offering, mark))).length

const expectMarks = (marks: ReadonlyArray<UnavailableMark>): void => {
  expectTrue(marks.length > 0, 'No offering is marked')
  for (const { forMs, reason, match } of marks) {
    expectTrue(Number.isFinite(forMs) && forMs > 0, `A mark holds for ${forMs} ms`)
    expectTrue(reason !== '', 'A mark has no reason')
    expectTrue(match.byKey.size > 0, 'A mark concerns everything')
  }
}

/** What `launch` promises when the cloud refuses. */
export const launchFailureChecks = [
  mapped('throttled', 'Throttled', 'says that it was throttled'),
  mapped('unauthorized', 'Unauthorized', 'says that it may not'),
  mapped('quota', 'QuotaExceeded', 'says that a quota is used up'),
  mapped('invalid', 'InvalidRequest', 'says that the cloud refuses the request'),
  mapped('server-error', 'Unknown', 'says that the cloud failed'),
  check('launch/code', "keeps the cloud's own code with the failure", ['unauthorized'], async (session) => {
    const { error } = await failedWith(session, 'unauthorized')
    expectTrue(error.code !== undefined && error.code !== '', 'The failure has no code')
  }),
  check(
    'launch/failed-clean',
    'leaves nothing running after a failure that list would not show',
    ['throttled', 'present'],
    async (session) => {
      await failedWith(session, 'throttled')
      const listed = await session.listedIds()
      expectEqual(
        (await session.lever('present')()).filter((id) => !listed.includes(id)),
        [],
        'Machines that run and are not listed',
      )
    },
  ),
  check('launch/next', 'goes on to the next candidate when the first is sold out', ['sellOut'], async (session) => {
    const { sold, others } = await soldOut(session)
    const [next] = others
    if (next === undefined) return
    const first = await session.tryLaunch('t-1', { candidates: [sold, next] })
    if (E.isLeft(first)) {
      // Providers that try one offering at a time keep the claim: the shell comes back with what remains.
      expectTrue(first.left.keepClaim === true, 'It gave up although a candidate is on sale')
      expectMarks(first.left.unavailable ?? [])
      return
    }
    expectEqual(first.right.instance.instanceType, next.name, 'The type launched')
    expectMarks(first.right.unavailable ?? [])
  }),
  check(
    'launch/sold-out',
    'ends in InsufficientCapacity, with every offering tried marked',
    ['sellOut'],
    async (session) => {
      const { sold } = await soldOut(session)
      const {
        error,
        unavailable = [],
        keepClaim,
        reason,
      } = leftOf(await session.tryLaunch('t-1', { candidates: [sold] }), 'launch()')
      expectEqual(error._tag, 'InsufficientCapacity', 'The failure')
      expectReason(reason, 'The reason of a failed launch')
      expectMarks(unavailable)
      const missed = sold.offerings.filter(
        (offering) => !unavailable.some((mark) => OfferingMemories.isMarked(sold, offering, mark)),
      )
      expectTrue(
        missed.length === 0 || keepClaim === true,
        `${missed.length} offerings were tried or given up and are not marked`,
      )
      expectEqual(await session.listedIds(), [], 'The list')
    },
  ),
  check('launch/marks', 'marks what was sold out, and nothing that is on sale', ['sellOut'], async (session) => {
    const { sold, others } = await soldOut(session)
    const { unavailable = [] } = leftOf(await session.tryLaunch('t-1', { candidates: [sold] }), 'launch()')
    for (const mark of unavailable) {
      expectTrue(concerned(mark, [sold]) > 0, `A mark concerns no offering of ${sold.name}`)
      expectEqual(concerned(mark, others), 0, 'Offerings of other types that a mark concerns')
    }
  }),
  check('launch/restocked', 'launches again as soon as the cloud has room', ['sellOut', 'restock'], async (session) => {
    const { sold } = await soldOut(session)
    leftOf(await session.tryLaunch('t-1', { candidates: [sold] }), 'launch()')
    await session.lever('restock')()
    const { instanceType } = await session.launch('t-2', { candidates: [sold] })
    expectEqual(instanceType, sold.name, 'The type launched')
  }),
  check('launch/other-candidates', 'takes the same token again with other candidates', ['sellOut'], async (session) => {
    const { sold, others } = await soldOut(session)
    leftOf(await session.tryLaunch('t-1', { candidates: [sold] }), 'launch()')
    const [next] = others
    if (next === undefined) return
    const { providerId } = await session.launch('t-1', { candidates: [next] })
    expectEqual(await session.listedIds(), [providerId], 'The list')
  }),
  check('launch/aborted-before', 'does not wait when the call was given up before it began', [], async (session) => {
    const given = new AbortController()
    given.abort()
    const { live, call } = session
    await promptly(live.launch(await session.request('t-1'), call(given.signal))(), 'launch()')
    const { providerId } = await session.launch('t-1')
    expectEqual(await session.listedIds(), [providerId], 'The list')
  }),
  check(
    'launch/aborted',
    'ends its waiting when the call is given up, and finds what happened',
    [],
    async (session) => {
      const given = new AbortController()
      const request = await session.request('t-1')
      const running = session.live.launch(request, session.call(given.signal))()
      given.abort()
      const answered = await promptly(running, 'launch()')
      const { providerId } = await session.launch('t-1')
      if (E.isRight(answered))
        expectEqual(providerId, answered.right.instance.providerId, 'The instance of the second call')
      expectEqual(await session.listedIds(), [providerId], 'The list')
    },
  ),
  check('launch/one-aborted', 'goes on for the others when one of several calls is given up', [], async (session) => {
    const given = new AbortController()
    const requests = await Promise.all(['t-1', 't-2', 't-3'].map((token) => session.request(token)))
    const running = Promise.all(
      requests.map((request, index) =>
        session.live.launch(request, session.call(index === 0 ? given.signal : undefined))(),
      ),
    )
    given.abort()
    const [, ...others] = await session
      .ask(() => running.then((all) => E.right(all)))
      .then((all) => rightOf(all, 'launch()'))
    for (const other of others) rightOf(other, 'A launch beside one that was given up')
  }),
]
