import type { JsonObject, Resolution } from '@scantling/core'
import * as E from 'fp-ts/lib/Either.js'
import { check } from '../check.ts'
import { expectEqual, expectReason, expectTrue, notJsonAt, rightOf, show } from '../expectation.ts'
import { writtenStatus, type Session } from '../session.ts'

const resolved = async (session: Session): Promise<Resolution> =>
  rightOf(await session.resolve(session.nodeClass), 'resolve()')

const falseConditions = ({ conditions }: Resolution) =>
  Object.entries(conditions).flatMap(([type, condition]) =>
    condition !== 'unchanged' && condition.status === 'False' ? [type] : [],
  )

/** What `resolve` and `release` promise of a NodeClass, and `drift` of its machines. */
export const nodeClassChecks = [
  check('resolve/ready', 'finds what a good NodeClass names', ['resolve'], async (session) => {
    const resolution = await resolved(session)
    expectEqual(falseConditions(resolution), [], 'Conditions that are False')
    expectEqual(resolution.failures ?? [], [], 'Failures')
  }),
  check(
    'resolve/json',
    'reports a status of JSON, without the conditions, that its schema takes',
    ['resolve'],
    async (session) => {
      const { status } = await resolved(session)
      const odd = notJsonAt(status, 'status')
      expectTrue(odd === undefined, `${odd}`)
      expectTrue(!Object.hasOwn(status, 'conditions'), 'The status holds conditions')
      session.decode(session.subject.manifest, { ...status, conditions: [] })
    },
  ),
  check('resolve/repeated', 'reports the same twice', ['resolve'], async (session) => {
    const first = await resolved(session)
    const second = await resolved(session)
    expectEqual(second.status, first.status, 'The status, asked again')
    expectEqual(Object.keys(second.conditions), Object.keys(first.conditions), 'The conditions, asked again')
  }),
  check('resolve/untouched', 'leaves the NodeClass as it is', ['resolve'], async (session) => {
    const before = show(session.nodeClass)
    await resolved(session)
    expectEqual(show(session.nodeClass), before, 'The NodeClass')
  }),
  check(
    'resolve/conditions',
    'gives every condition that is not True a reason and a message',
    ['resolve', 'missingManifest'],
    async (session) => {
      const missing = session.decode(session.lever('missingManifest'))
      const resolution = rightOf(
        await session.resolve(missing),
        'resolve() of a NodeClass that names what is not there',
      )
      for (const [type, condition] of Object.entries(resolution.conditions)) {
        expectReason(type, 'The type of a condition')
        if (condition === 'unchanged' || condition.status === 'True') continue
        expectReason(condition.reason ?? '', `The reason of ${type}`)
        expectTrue((condition.message ?? '') !== '', `${type} is ${condition.status} without a message`)
      }
    },
  ),
  check(
    'resolve/missing',
    'says by a condition that something named is not there',
    ['resolve', 'missingManifest'],
    async (session) => {
      const missing = session.decode(session.lever('missingManifest'))
      const resolution = rightOf(
        await session.resolve(missing),
        'resolve() of a NodeClass that names what is not there',
      )
      expectTrue(falseConditions(resolution).length > 0, 'No condition is False')
    },
  ),
  check(
    'resolve/throttled',
    'does not take being throttled for being absent',
    ['resolve', 'throttled'],
    async (session) => {
      await session.lever('fail')('resolve', 'throttled')
      const answer = await session.resolve(session.nodeClass)
      if (E.isLeft(answer)) expectEqual(answer.left._tag, 'Throttled', 'The failure')
      else expectEqual(falseConditions(answer.right), [], 'Conditions that are False because a call was throttled')
    },
  ),
  check('resolve/recheck', 'asks to be asked again after a time that is one', ['resolve'], async (session) => {
    const { recheckAfterMs } = await resolved(session)
    expectTrue(
      recheckAfterMs === undefined || (Number.isFinite(recheckAfterMs) && recheckAfterMs > 0),
      `It is ${recheckAfterMs}`,
    )
  }),
  check('resolve/starts-nothing', 'starts no machine', ['resolve', 'present'], async (session) => {
    await resolved(session)
    expectEqual(await session.lever('present')(), [], 'Machines')
  }),
  check('release/repeated', 'is done twice as well as once', ['release'], async (session) => {
    const { release } = session.live
    if (release === undefined) return
    rightOf(await session.ask(release(session.nodeClass, session.call())), 'release()')
    rightOf(await session.ask(release(session.nodeClass, session.call())), 'release(), again')
  }),
  check('release/machines', 'touches no machine', ['release', 'present'], async (session) => {
    const { providerId } = await session.launch('t-1')
    await session.ask(session.live.release?.(session.nodeClass, session.call()) ?? (async () => E.right(undefined)))
    expectTrue((await session.lever('present')()).includes(providerId), 'The machine is gone')
  }),
  check(
    'release/resolved-again',
    'leaves a NodeClass that can be resolved and launched from again',
    ['release', 'resolve'],
    async (session) => {
      await session.launch('t-1')
      await session.ask(session.live.release?.(session.nodeClass, session.call()) ?? (async () => E.right(undefined)))
      await resolved(session)
      await session.launch('t-2')
    },
  ),
  check('drift/in-sync', 'finds a machine in sync that was just launched', ['drift'], async (session) => {
    await session.launch('t-1')
    const [instance] = (await session.list()).instances
    if (instance === undefined) return
    expectEqual(session.live.drift?.(await session.managed(instance))._tag, 'InSync', 'The verdict')
  }),
  check('drift/pure', 'says the same twice, and changes nothing', ['drift'], async (session) => {
    await session.launch('t-1')
    const [instance] = (await session.list()).instances
    if (instance === undefined) return
    const subject = await session.managed(instance)
    const before = show(subject)
    expectEqual(session.live.drift?.(subject), session.live.drift?.(subject), 'The verdict, asked again')
    expectEqual(show(subject), before, 'What it was asked about')
  }),
  check(
    'drift/drifted',
    'finds a machine that the changed NodeClass would not have',
    ['drift', 'resolve', 'changedManifest'],
    async (session) => {
      await session.launch('t-1')
      const [instance] = (await session.list()).instances
      if (instance === undefined) return
      const manifest = session.lever('changedManifest')
      const written = session.decode(manifest)
      const resolution = rightOf(await session.resolve(written), 'resolve()')
      const nodeClass = session.decode(manifest as JsonObject, writtenStatus(resolution, written.metadata.generation))
      const verdict = session.live.drift?.({ ...(await session.managed(instance)), nodeClass })
      if (verdict?._tag !== 'Drifted') return expectEqual(verdict?._tag, 'Drifted', 'The verdict')
      expectReason(verdict.reason, 'The reason of a drift')
    },
  ),
  check('drift/without-type', 'judges a machine whose type has left the catalogue', ['drift'], async (session) => {
    await session.launch('t-1')
    const [instance] = (await session.list()).instances
    if (instance === undefined) return
    const { type: _type, ...rest } = await session.managed(instance)
    const verdict = session.live.drift?.(rest)
    expectTrue(verdict !== undefined && verdict._tag !== 'Drifted', `The verdict is ${show(verdict)}`)
  }),
]
